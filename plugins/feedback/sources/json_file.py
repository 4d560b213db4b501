"""JSON as strangers write it: read strictly, so that what comes out can be stored anywhere."""

from __future__ import annotations

import json
import re
from typing import Any

from feedback.sources.base import Unreadable

HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
DEEPEST = 64
"""What nests deeper was made to hurt whoever walks it."""


def parse(content: bytes, name: str) -> Any:
    """Return the content of a JSON file.

    :raises Unreadable: it is not UTF-8 or not JSON; the line names the file and the place, never its content.
    """
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise Unreadable("not_utf8", f"{name} is not UTF-8 (byte {error.start}): get it again") from None
    except json.JSONDecodeError as error:
        raise Unreadable("broken_json", f"{name} is broken JSON (line {error.lineno}): get it again") from None
    except (ValueError, RecursionError):
        raise Unreadable("broken_json", f"{name} holds a value that JSON has not: get it again") from None
    if content.count(b"[") + content.count(b"{") > DEEPEST and _is_deep(value):
        raise Unreadable("broken_json", f"{name} nests deeper than {DEEPEST} levels: get it again")
    return value


def _is_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def storable(value: dict[str, Any]) -> str:
    """Return the JSON text of an object without what no warehouse stores: NUL and half characters."""
    text = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in text:
        text = re.sub(r"(?<!\\)((?:\\\\)*)\\u0000", r"\1", text)
    return clean(text)


def clean(text: str) -> str:
    """Return the text without NUL, half characters replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = HALF_CHARACTER.sub("\ufffd", text)
    return text.replace("\x00", "")


def _no_number(name: str) -> None:
    raise ValueError(name)
