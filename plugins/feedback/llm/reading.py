"""What a model said, read with distrust: by row, by label set and bounds, and by words that stand in the text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from feedback.llm import wire
from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.pack import Pack, Row
from feedback.text.grounding import locate

GROUNDED = ("quote", "surface")
"""Fields that repeat the customer's words."""


@dataclass
class Reading:
    """What of a pack's answer can be used.

    :param answers: (row key, enrichment) to a checked answer, its quotes as they stand in the text.
    :param invalid: (row key, enrichment) to what is wrong with its answer.
    """

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    invalid: dict[tuple[str, str], str] = field(default_factory=dict)


class _Invalid(Exception):
    """An answer cannot be used; its text is a word of ours, never of the model."""


def read(content: str, pack: Pack) -> Reading:
    """Check each row's answer to each question. What is in neither part of the reading was not answered."""
    reading = Reading()
    for number, said in _by_number(content, len(pack.rows)).items():
        row = pack.rows[number - 1]
        for enrichment in pack.questions.enrichments:
            try:
                answer = _checked(_under(said, pack.questions.keys[enrichment.name], enrichment), enrichment, row)
            except _Invalid as problem:
                reading.invalid[row.key, enrichment.name] = str(problem)
            else:
                reading.answers[row.key, enrichment.name] = answer
    return reading


def _by_number(content: str, rows: int) -> dict[int, Mapping[str, Any]]:
    """Return what was said about each row, once; a row answered twice in different ways was not answered."""
    said: dict[int, Mapping[str, Any]] = {}
    doubtful = set()
    for entry in _entries(content):
        number = entry.get(wire.ROW)
        if isinstance(number, str) and number.isdecimal():
            number = int(number)
        if type(number) is not int or not 1 <= number <= rows:
            continue
        if said.setdefault(number, entry) != entry:
            doubtful.add(number)
    return {number: entry for number, entry in said.items() if number not in doubtful}


def _entries(content: str) -> Iterator[Mapping[str, Any]]:
    """Find the rows of an answer wherever they are: in prose, in a code fence, in JSON that breaks off."""
    decoder = json.JSONDecoder()
    start = content.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(content, start)
        except (json.JSONDecodeError, RecursionError):
            end = start + 1
        else:
            inner = found.get("answers")
            yield from [entry for entry in (inner if isinstance(inner, list) else [found]) if isinstance(entry, dict)]
        start = content.find("{", end)


def _under(said: Mapping[str, Any], key: str, enrichment: Enrichment) -> Any:
    """Return what was said to a question, be it under the names of its page instead of short keys."""
    answer = said.get(key, said.get(enrichment.name))
    return answer.get(enrichment.list_field) if enrichment.list_field and isinstance(answer, dict) else answer


def _checked(said: Any, enrichment: Enrichment, row: Row) -> Answer:
    if said is None:
        raise _Invalid("no_answer")
    raw = said if enrichment.list_field else [said]
    if not isinstance(raw, list):
        raise _Invalid("not_the_schema")
    try:
        parts = [enrichment.form.values(part, row.sentences) for part in raw]
    except ValueError:
        raise _Invalid("not_the_schema") from None
    for part in parts:
        part[enrichment.label_field] = _label(part, enrichment)
    try:
        checked = enrichment.answer_type.model_validate(
            {enrichment.list_field: parts} if enrichment.list_field else parts[0]
        )
    except ValidationError as error:
        raise _Invalid(f"not_the_schema:{_where(error)}") from None
    answer = checked.model_dump()
    for part in enrichment.parts(answer):
        _ground(part, enrichment, row.text)
    return answer


def _label(part: Mapping[str, Any], enrichment: Enrichment) -> str:
    """Return the label, also where prose stands around it, if it is the only one in there."""
    said = part.get(enrichment.label_field)
    if not isinstance(said, str):
        raise _Invalid("label_unknown")
    if said in enrichment.labels:
        return said
    words = set(re.findall(r"\w+", said.casefold()))
    found = [label for label in enrichment.labels if label in words]
    if len(found) != 1:
        raise _Invalid("label_unknown")
    return found[0]


def _ground(part: Answer, enrichment: Enrichment, text: str) -> None:
    """Replace the words a model repeats by the customer's own."""
    for name in GROUNDED:
        if name not in part:
            continue
        if not part[name]:
            if part[enrichment.label_field] not in enrichment.unquoted:
                raise _Invalid(f"{name}_missing")
            part[name] = None
            continue
        part[name] = locate(part[name], text)
        if part[name] is None:
            raise _Invalid(f"{name}_not_in_text")


def _where(error: ValidationError) -> str:
    """Return the first field that is wrong; its value may be a customer's words and stays out."""
    return ".".join(str(step) for step in error.errors(include_input=False, include_url=False)[0]["loc"])
