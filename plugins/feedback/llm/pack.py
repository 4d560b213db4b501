"""Rows and packs: who is asked beside whom in one request.

Instructions cost more than a short text, so many rows share them. They are spread by a hash, not by
order: what arrived together does not meet the model together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from feedback.errors import SettingError
from feedback.llm import tokens
from feedback.llm.prices import Model
from feedback.llm.questions import Questions, Registry
from feedback.model import content_hash

OUTPUT_FACTOR = 3
"""How many times its usual length an answer may have."""

LONE_OUTPUT_FACTOR = 12
"""The same for a row asked alone: it may be there because its answer did not fit."""

ROW_TOKENS = 15
"""About what surrounds a text in its row."""

ENVELOPE_TOKENS = 200
"""More than a service adds around our messages."""


@dataclass(frozen=True)
class Row:
    """One distinct text and rating with the questions it still owes; ``afresh``: whatever the ledger knows."""

    text: str
    rating: int | None
    owed: tuple[str, ...]
    afresh: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        return content_hash(self.text, self.rating)

    @cached_property
    def tokens(self) -> int:
        """About how many tokens the row is."""
        return tokens.estimate(self.text) + ROW_TOKENS

    def owing(self, owed: Sequence[str]) -> Row:
        """Return the row with these questions only."""
        return Row(self.text, self.rating, tuple(owed), self.afresh)


@dataclass(frozen=True)
class Pack:
    """Rows that owe the same questions, asked in one request."""

    rows: tuple[Row, ...]
    questions: Questions
    model: Model

    @cached_property
    def ids(self) -> dict[str, Row]:
        """The short ids under which the rows travel."""
        return {f"r{number}": row for number, row in enumerate(self.rows, 1)}

    @cached_property
    def rows_text(self) -> str:
        """The rows as JSON strings: a text can neither end its row nor begin another."""
        lines = []
        for short_id, row in self.ids.items():
            rating = {} if row.rating is None else {"rating": row.rating}
            lines.append(json.dumps({"id": short_id, **rating, "text": row.text}, ensure_ascii=False))
        return '{"rows": [\n' + ",\n".join(lines) + "\n]}"

    @property
    def input_tokens(self) -> int:
        """About how many tokens the request is."""
        return self.questions.tokens + sum(row.tokens for row in self.rows)

    @property
    def answer_tokens(self) -> int:
        """About how many tokens the answer is."""
        return self.questions.answer_tokens * len(self.rows)

    @property
    def output_limit(self) -> int:
        """The most tokens we ask the service to let the answer have."""
        return _output_limit(self.questions, len(self.rows), self.model)

    @property
    def most_usd(self) -> float:
        """The most that asking it once can cost."""
        sent = self.questions.most_tokens + tokens.most(self.rows_text) + ENVELOPE_TOKENS
        answered = self.output_limit if self.model.output_parameter else self.model.max_output
        return self.model.most(sent, answered)

    def body(self, is_flex: bool = False) -> dict[str, Any]:
        """Return the body of its request."""
        return {
            "model": self.model.name,
            "messages": [
                {"role": "system", "content": self.questions.prompt},
                {"role": "user", "content": self.rows_text},
            ],
            "response_format": self.questions.response_format,
            **self.model.send,
            **({self.model.output_parameter: self.output_limit} if self.model.output_parameter else {}),
            **({"service_tier": "flex"} if is_flex else {}),
        }


def packs(rows: Iterable[Row], registry: Registry, model: Model, most_rows: int) -> Iterator[Pack]:
    """Spread rows over packs: the same questions together, at most ``most_rows``, inside the model's window."""
    by_owed: dict[frozenset[str], list[Row]] = {}
    for row in rows:
        by_owed.setdefault(frozenset(row.owed), []).append(row)
    for owed, owing in by_owed.items():
        questions = registry.questions(tuple(owed))
        waiting: list[Row] = []
        for row in sorted(owing, key=lambda row: row.key):
            if waiting and (len(waiting) == most_rows or not _fit([*waiting, row], questions, model)):
                yield Pack(tuple(waiting), questions, model)
                waiting = []
            waiting.append(row)
        yield Pack(tuple(waiting), questions, model)


def fits(row: Row, registry: Registry, model: Model) -> bool:
    """Say whether a model can be asked about a row alone."""
    return _fit([row], registry.questions(row.owed), model)


def room_for_text(questions: Questions, model: Model) -> int:
    """Return how many tokens of text a model can be asked about at once.

    :raises SettingError: its window is smaller than the instructions.
    """
    room = int(model.window * tokens.ROOM) - questions.tokens - _output_limit(questions, 1, model) - ROW_TOKENS
    if room < 1:
        raise SettingError(
            f"model {model.name} holds {model.window} tokens, the instructions and an answer need more:"
            " choose another FEEDBACK_LLM_MODEL or correct its window in FEEDBACK_LLM_PRICES"
        )
    return room


def _fit(rows: Sequence[Row], questions: Questions, model: Model) -> bool:
    answer = questions.answer_tokens * len(rows)
    sent = questions.tokens + sum(row.tokens for row in rows)
    return (
        sent + _output_limit(questions, len(rows), model) <= model.window * tokens.ROOM and answer <= model.max_output
    )


def _output_limit(questions: Questions, rows: int, model: Model) -> int:
    factor = OUTPUT_FACTOR if rows > 1 else LONE_OUTPUT_FACTOR
    return min(model.max_output, questions.answer_tokens * rows * factor)
