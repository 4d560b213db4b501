"""An enrichment: one question that is asked about every item, as its page in ``include/enrichments`` declares it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from feedback.errors import SettingError
from feedback.llm.schema import strict_schema
from feedback.llm.wire import Form
from feedback.model import digest
from feedback.text.known import worded
from feedback.validation.rule import Rule

Answer = dict[str, Any]
Join = Callable[[Sequence[tuple[int, Answer]]], Answer]
"""Makes one answer of the answers to the parts of a long text, each with its weight."""

LABEL_LINE = re.compile(r"^- `([^`]+)`: (.+)$", re.MULTILINE)
"""How a prompt introduces a label."""


@dataclass(frozen=True)
class Known:
    """Texts that many customers write word for word, and the answer to them; its quote is the text itself.

    :param ratings: stars with which the words mean what they say; without stars they do.
    """

    texts: frozenset[str]
    ratings: frozenset[int]
    answer: Answer


@dataclass(frozen=True)
class Enrichment:
    """One question. Its answer type is either one row (``label``, ``quote``, …) or a single list of such rows.

    :param name: also the name of its table.
    :param answer_type: pydantic model; its one ``Literal`` field is the label set, its bounds are checked here only.
    :param prompt: Markdown; each label stands in it once as a line ``- `label`: description``.
    :param rules: what the gate demands of its staged rows.
    :param key: columns that identify a row.
    :param join: how the answers to the parts of a long text become one.
    :param unquoted: labels that say that nothing was found, so that their quote may be null.
    :param derive: columns computed from the item's id and a row.
    :param answer_tokens: what an answer usually costs, measured; a request allows several times that.
    :param unsure_below: an answer less confident than this is asked again of the large model, where there is one.
    :param known: texts that need no model.
    """

    name: str
    answer_type: type[BaseModel]
    prompt: str
    rules: tuple[Rule, ...]
    join: Join
    key: tuple[str, ...] = ("item_id",)
    unquoted: frozenset[str] = frozenset()
    derive: Callable[[str, Mapping[str, Any]], Answer] | None = None
    answer_tokens: int = 15
    unsure_below: float = 0.0
    known: tuple[Known, ...] = ()

    def __post_init__(self) -> None:
        named = [label for label, _ in LABEL_LINE.findall(self.prompt)]
        if sorted(named) != sorted(self.labels):
            wrong = ", ".join(sorted(set(named) ^ set(self.labels))) or "a label twice"
            raise SettingError(f"enrichment {self.name}: prompt and answer type do not name the same labels: {wrong}")
        _ = self.schema  # what cannot be sent is refused when the Dag is parsed

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The strict schema of an answer."""
        return strict_schema(self.answer_type)

    @cached_property
    def prompt_version(self) -> str:
        """Moves when the words of the question or the form of its answer move."""
        return digest(self.prompt, json.dumps(self.schema))[:12]

    @cached_property
    def identity(self) -> str:
        """What must be the same for an answer to be the same: the question, its prompt version, its schema."""
        return digest(self.name, self.prompt_version, json.dumps(self.schema))

    @cached_property
    def form(self) -> Form:
        """How a row of an answer travels."""
        return Form(self.row_type, self.labels)

    @property
    def table(self) -> str:
        return f"feedback.{self.name}"

    @cached_property
    def list_field(self) -> str | None:
        """The field that holds the rows of a list answer."""
        (name, field), *others = self.answer_type.model_fields.items()
        return name if not others and get_origin(field.annotation) is list else None

    @cached_property
    def row_type(self) -> type[BaseModel]:
        """The type of one row of an answer."""
        if not self.list_field:
            return self.answer_type
        (row_type,) = get_args(self.answer_type.model_fields[self.list_field].annotation)
        return row_type  # type: ignore[no-any-return]

    @cached_property
    def label_field(self) -> str:
        """The field whose values are the label set."""
        found = [name for name, field in self.row_type.model_fields.items() if get_origin(field.annotation) is Literal]
        if len(found) != 1:
            raise SettingError(f"enrichment {self.name}: an answer needs exactly one Literal field, its label")
        return found[0]

    @cached_property
    def told_by(self) -> str:
        """The field by which answers are compared: what is named, else the label."""
        return "surface" if "surface" in self.row_type.model_fields else self.label_field

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The label set, in the order of the type."""
        return get_args(self.row_type.model_fields[self.label_field].annotation)

    def known_answer(self, text: str, rating: int | None) -> Answer | None:
        """Return the answer to a text that needs no model, or None."""
        words = worded(text) if self.known else ""
        for known in self.known if words else ():
            if words in known.texts and (rating is None or rating in known.ratings):
                return {**known.answer, **({"quote": text.strip()} if "quote" in self.answer_type.model_fields else {})}
        return None

    def parts(self, answer: Answer) -> list[Answer]:
        """Return the rows of an answer: one, or none to many of a list answer."""
        return answer[self.list_field] if self.list_field else [answer]

    def rows(self, item_id: str, answer: Answer) -> list[Answer]:
        """Return the answer as rows of its table, the first of those that share a key."""
        rows = [{"item_id": item_id, **part} for part in self.parts(answer)]
        if self.derive:
            rows = [{**row, **self.derive(item_id, row)} for row in rows]
        if not self.list_field:
            return rows
        by_key: dict[tuple[Any, ...], Answer] = {}
        for row in rows:
            by_key.setdefault(tuple(row[column] for column in self.key), row)
        return list(by_key.values())
