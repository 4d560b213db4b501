"""How questions and answers travel: in few tokens, and without a meaning of their own.

A row goes out as ``[number, rating, numbered sentences]``. An answer comes back as ``{"r": number}`` and, under
the key of each question, its label as a code (``l``), its numbers without their names (``n``: shares in
hundredths, a quote as the number of a sentence) and words that no number stands for. Labels stay in the schema,
so that a service holds the model to them. What is stored, hashed and published is the answer type alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel

from feedback.llm.schema import closed_object, strict_schema
from feedback.text.sentences import without_speaker

ROW, LABEL, NUMBERS = "r", "l", "n"
"""Keys of an answer: the row it is about, the code of its label, its numbers."""

Kind = Literal["label", "quote", "share", "number", "words"]


def codes(words: Sequence[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """Return for each word the fewest of its first letters that begin no other one."""

    def code(word: str) -> str:
        others = {*words, *taken} - {word}
        starts = (word[:length] for length in range(1, len(word)))
        return next((start for start in starts if not any(other.startswith(start) for other in others)), word)

    return {word: code(word) for word in words}


def text_json(sentences: Sequence[str]) -> str:
    """Return a text as a JSON string of numbered sentences, which can neither end its row nor begin another."""
    lines = (f"{number} {sentence}" for number, sentence in enumerate(sentences, 1))
    return json.dumps("\n".join(lines), ensure_ascii=False)


def rows_text(rows: Iterable[tuple[int | None, str]]) -> str:
    """Return the rows of a request, numbered from 1: of each its rating and its ``text_json``."""
    lines = (
        f"[{number},{'null' if rating is None else rating},{text}]" for number, (rating, text) in enumerate(rows, 1)
    )
    return '{"rows":[\n' + ",\n".join(lines) + "\n]}"


@dataclass(frozen=True)
class Form:
    """How one row of an answer travels.

    :param row_type: its type; one with a field that has no short form travels as it is.
    :param labels: the label set.
    """

    row_type: type[BaseModel]
    labels: tuple[str, ...]

    @cached_property
    def codes(self) -> dict[str, str]:
        """Label to code."""
        return codes(self.labels)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {code: label for label, code in self.codes.items()}

    @cached_property
    def _names(self) -> dict[str, str]:
        return {key: name for name, key in self.keys.items()}

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """What each field holds; empty where one of them has no short form."""
        fields = self.row_type.model_json_schema()["properties"]
        kinds = {name: kind for name, field in fields.items() if (kind := _kind(name, field))}
        return kinds if len(kinds) == len(fields) else {}

    @cached_property
    def keys(self) -> dict[str, str]:
        """The key of each field that has one of its own."""
        words = codes([name for name, kind in self.kinds.items() if kind == "words"], (LABEL, NUMBERS))
        return {name: LABEL for name, kind in self.kinds.items() if kind == "label"} | words

    @cached_property
    def _converted(self) -> list[tuple[str, Kind]]:
        """The fields that travel in another form."""
        return [(name, kind) for name, kind in self.kinds.items() if kind in ("label", "quote", "share")]

    @cached_property
    def numbers(self) -> list[str]:
        """The fields that travel as numbers, in their order."""
        return [name for name in self.kinds if name not in self.keys]

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The strict schema of a row on its way; of a label alone, its code."""
        if not self.kinds:
            return strict_schema(self.row_type)
        label = {"type": "string", "enum": list(self.codes.values())}
        if len(self.kinds) == 1:
            return label
        words: dict[str, Any] = {key: {"type": "string"} for key in self.keys.values()}
        numbers = {NUMBERS: {"type": "array", "items": {"type": "integer"}}} if self.numbers else {}
        return closed_object(words | {LABEL: label} | numbers)

    @property
    def told(self) -> str:
        """How a prompt describes it."""
        if not self.kinds:
            return f"an object with {', '.join(self.row_type.model_fields)}"
        if len(self.kinds) == 1:
            return "the code of its label"
        parts = [f"`{key}`: {name}" for name, key in self.keys.items()]
        numbers = [f"`{NUMBERS}`: [{', '.join(self.numbers)}]"] if self.numbers else []
        return "{" + ", ".join(parts + numbers) + "}"

    def values(self, row: Any, text: Sequence[str]) -> dict[str, Any]:
        """Return a row of an answer as its type names it.

        Takes fields by their names too, labels written out, shares as fractions and quotes as words: services
        differ in how strictly they hold a model to a schema.

        :param text: the sentences of the row that was asked about.
        :raises ValueError: it is neither an object nor a label.
        """
        if not isinstance(row, dict) and not (isinstance(row, str) and len(self.kinds) == 1):
            raise ValueError("neither an object nor a label")
        said: dict[str, Any] = row if isinstance(row, dict) else {LABEL: row}
        values = {self._names.get(key, key): value for key, value in said.items() if key != NUMBERS}
        numbers = said.get(NUMBERS)
        if isinstance(numbers, list) and len(numbers) == len(self.numbers):
            values.update(zip(self.numbers, numbers, strict=True))
        for name, kind in self._converted:
            value = values.get(name)
            if type(value) is int:
                if kind == "quote":
                    values[name] = without_speaker(text[value - 1]) if 0 < value <= len(text) else None
                elif kind == "share" and not -1 <= value <= 1:
                    values[name] = value / 100
            elif kind == "label" and type(value) is str:
                values[name] = self._labels.get(value, value)
        return values


def _kind(name: str, field: Mapping[str, Any]) -> Kind | None:
    """Return what a field of a JSON schema holds, or None where that has no short form."""
    only, *others = [choice for choice in field.get("anyOf", [field]) if choice != {"type": "null"}]
    if name == "quote" and only.get("type") == "string" and not others:
        return "quote"
    if "anyOf" in field:
        return None
    if "enum" in field or "const" in field:
        return "label"
    if field.get("type") == "number" and field.get("minimum", -2) >= -1 and field.get("maximum", 2) <= 1:
        return "share"
    kinds: dict[Any, Kind] = {"string": "words", "integer": "number"}
    return kinds.get(field.get("type"))
