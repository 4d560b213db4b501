"""The JSON schema that is sent with a question: the strict subset that every OpenAI-compatible service understands."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from feedback.errors import SettingError

KEPT = ("type", "enum")
"""Of a leaf. Bounds (``ge``, ``le``, ``max_length``) stay in the type, where answers are checked against them."""


def strict_schema(answer_type: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of an answer: every field required, nothing additional, no bounds, no references.

    :raises SettingError: the type is not portable; the line names the field.
    """
    schema = answer_type.model_json_schema()
    return _node(schema, schema.get("$defs", {}), answer_type.__name__, ())


def closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _node(node: dict[str, Any], defs: dict[str, Any], where: str, above: tuple[str, ...]) -> dict[str, Any]:
    if "default" in node:
        raise _unportable(where, "has a default: make it required, with null for nothing")
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in above:
            raise _unportable(where, "contains itself: write its levels out")
        return _node(defs[name], defs, where, (*above, name))
    if "anyOf" in node:
        return {"anyOf": [_node(choice, defs, where, above) for choice in _nullable(node["anyOf"], where)]}
    if node.get("type") == "object":
        return _object(node, defs, where, above)
    if node.get("type") == "array":
        if "items" not in node:
            raise _unportable(where, "is a list of anything: say of what")
        return {"type": "array", "items": _node(node["items"], defs, f"{where}[]", above)}
    if "const" in node:
        return {"type": node.get("type", "string"), "enum": [node["const"]]}
    if "type" not in node:
        raise _unportable(where, "may be anything: give it a type")
    return {name: node[name] for name in KEPT if name in node}


def _object(node: dict[str, Any], defs: dict[str, Any], where: str, above: tuple[str, ...]) -> dict[str, Any]:
    fields = node.get("properties")
    if not fields or node.get("additionalProperties"):
        raise _unportable(where, "is an open dict: name its fields")
    return closed_object({name: _node(field, defs, f"{where}.{name}", above) for name, field in fields.items()})


def _nullable(choices: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    if len(choices) != 2 or {"type": "null"} not in choices:
        raise _unportable(where, "is a union beyond null: use one type")
    return choices


def _unportable(where: str, why: str) -> SettingError:
    return SettingError(f"{where} {why}; not every service accepts it in a strict schema")
