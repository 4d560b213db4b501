"""Who answers a question: a rule, the ledger, the small model, the large one; each takes what those before it left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.ledger import Ledger, answer_key
from feedback.llm.owed import OFFLINE
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.results import Decided, Question


@dataclass(frozen=True)
class Models:
    """Which models are asked. ``large`` takes what does not fit ``small``, what ``small`` refused or answered
    invalidly twice, and what it is unsure of."""

    small: Model
    large: Model | None = None

    @property
    def is_offline(self) -> bool:
        return self.small.name == OFFLINE

    @property
    def title(self) -> str:
        """How a person is told who answers."""
        return "the offline model, not a language model" if self.is_offline else f"model {self.small.name}"

    def above(self, model: Model) -> Model | None:
        """Return the model that takes over from this one, if any."""
        return self.large if self.large and model.name != self.large.name else None


class Decider(Protocol):
    """Answers without a model of the service, at no cost: a tier before them. Called outside the event loop."""

    def decide(self, rows: Sequence[Row]) -> Mapping[Question, Decided]:
        """Return an answer to each question that it is certain of."""


class Rules:
    """Texts whose answer stands on the enrichment's page, because many customers write exactly them."""

    def __init__(self, enrichments: Mapping[str, Enrichment]):
        self.enrichments = enrichments

    def decide(self, rows: Sequence[Row]) -> Mapping[Question, Decided]:
        return {
            (row.key, name): Decided(answer, "rule", None, None)
            for row in rows
            for name in row.owed
            if (answer := self.enrichments[name].known_answer(row.text, row.rating)) is not None
        }


class Paid:
    """What was paid before: by the large model where it was asked, else by the small one."""

    def __init__(self, ledger: Ledger, enrichments: Mapping[str, Enrichment], models: Models):
        self.ledger, self.enrichments = ledger, enrichments
        self.models = [model for model in (models.small, models.large) if model]

    def look_ahead(self, questions: Iterable[Question]) -> None:
        """Look for the answers to many questions together, before ``decide`` is asked for them row by row."""
        self.ledger.look_ahead(
            answer_key(key, self.enrichments[name], model) for key, name in questions for model in self.models
        )

    def decide(self, rows: Sequence[Row]) -> Mapping[Question, Decided]:
        keys = {
            answer_key(row.key, self.enrichments[name], model): (row.key, name)
            for model in self.models
            for row in rows
            for name in row.owed
            if name not in row.afresh
        }
        known = self.ledger.known(list(keys))
        return {
            question: Decided(paid.answer, "cache", paid.model, paid.call_id)
            for key, question in keys.items()  # a later model's answer counts
            if (paid := known.get(key))
        }


def is_unsure(enrichment: Enrichment, answer: Answer) -> bool:
    """Whether a model says of an answer, or of a part of it, that it is less sure than its page asks for."""
    sure = [part["confidence"] for part in enrichment.parts(answer) if "confidence" in part]
    return bool(sure) and min(sure) < enrichment.unsure_below
