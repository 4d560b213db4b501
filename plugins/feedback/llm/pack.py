"""Rows and packs: who is asked beside whom in one request.

Instructions cost more than a short text, so many rows share them. They are spread by a hash, not by
order: what arrived together does not meet the model together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from feedback.errors import SettingError
from feedback.llm import tokens, wire
from feedback.llm.prices import Model
from feedback.llm.questions import Questions, Registry
from feedback.model import content_hash
from feedback.text.sentences import sentences

OUTPUT_FACTOR = 3
"""How many times its usual length an answer may have."""

LONE_OUTPUT_FACTOR = 12
"""The same for a row asked alone: it may be there because its answer did not fit."""

ROW_TOKENS = 3
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
    def sentences(self) -> list[str]:
        """What a quote is taken from."""
        return sentences(self.text)

    @cached_property
    def text_json(self) -> str:
        """The text as it is sent."""
        return wire.text_json(self.sentences)

    @cached_property
    def tokens(self) -> int:
        """About how many tokens the row is."""
        return tokens.estimate(self.text_json) + ROW_TOKENS

    def owing(self, owed: Sequence[str]) -> Row:
        """Return the row with these questions only."""
        if tuple(owed) == self.owed:
            return self
        other = replace(self, owed=tuple(owed))
        vars(other).update(vars(self) | {"owed": other.owed})  # what was computed of the text holds for it too
        return other


@dataclass(frozen=True)
class Pack:
    """Rows that owe the same questions, asked in one request."""

    rows: tuple[Row, ...]
    questions: Questions
    model: Model

    @cached_property
    def rows_text(self) -> str:
        """The rows as they are sent, each under its number in the pack."""
        return wire.rows_text((row.rating, row.text_json) for row in self.rows)

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
        """The most tokens that the answer may have, as long as we do not know better."""
        return _output_limit(self.questions, len(self.rows), self.model)

    def most_usd(self, output_limit: int) -> float:
        """Return the most that asking it once can cost, its answer limited so."""
        sent = self.questions.most_tokens + tokens.most(self.rows_text) + ENVELOPE_TOKENS
        return self.model.most(sent, output_limit if self.model.output_parameter else self.model.max_output)

    def body(self, output_limit: int, is_flex: bool = False) -> dict[str, Any]:
        """Return the body of its request.

        :param output_limit: most tokens of the answer, for models that take a limit.
        """
        return {
            "model": self.model.name,
            "messages": [
                {"role": "system", "content": self.questions.prompt},
                {"role": "user", "content": self.rows_text},
            ],
            "response_format": self.questions.response_format,
            **self.model.send,
            **({self.model.output_parameter: output_limit} if self.model.output_parameter else {}),
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
        sent = 0
        for row in sorted(owing, key=lambda row: row.key):
            if waiting and (
                len(waiting) == most_rows or not _fit(sent + row.tokens, len(waiting) + 1, questions, model)
            ):
                yield Pack(tuple(waiting), questions, model)
                waiting, sent = [], 0
            waiting.append(row)
            sent += row.tokens
        yield Pack(tuple(waiting), questions, model)


def fits(row: Row, registry: Registry, model: Model) -> bool:
    """Say whether a model can be asked about a row alone."""
    return _fit(row.tokens, 1, registry.questions(row.owed), model)


def size(text: str) -> int:
    """Return about how many tokens a text is as it is sent."""
    return tokens.estimate(wire.text_json(sentences(text)))


def most_that_fit(questions: Questions, row_tokens: int, model: Model) -> int:
    """Return how many rows of about so many tokens a request can hold; at least one, as a longer text is cut."""
    per_row = row_tokens + questions.answer_tokens * OUTPUT_FACTOR
    return max(1, int((model.window * tokens.ROOM - questions.tokens) // per_row))


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


def _fit(sent: int, rows: int, questions: Questions, model: Model) -> bool:
    """Say whether so many rows of so many tokens together fit a request and its answer."""
    needed = questions.tokens + sent + _output_limit(questions, rows, model)
    return needed <= model.window * tokens.ROOM and questions.answer_tokens * rows <= model.max_output


def _output_limit(questions: Questions, rows: int, model: Model) -> int:
    factor = OUTPUT_FACTOR if rows > 1 else LONE_OUTPUT_FACTOR
    return min(model.max_output, questions.answer_tokens * rows * factor)
