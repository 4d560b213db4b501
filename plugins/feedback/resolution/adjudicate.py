"""Questions about names, put to a model as rows of one more enrichment: packed, paced, paid and remembered as all."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedback.llm.enrichment import Enrichment
from feedback.llm.pack import Row
from feedback.llm.results import Results
from feedback.model import digest
from feedback.resolution.match import MOST_OFFERED, Question, Said

NONE = "none"
MARKS = string.ascii_lowercase[:MOST_OFFERED]
"""A candidate's mark in a question; the labels of the answer are these and ``none``."""

OFFERED = " = "
MOST_QUOTED = 160


@dataclass(frozen=True)
class Shown:
    """How a name is shown to who decides: as it is written, with other ways to write it, and a passage around it."""

    surface: str
    also: tuple[str, ...] = ()
    quote: str | None = None


class Adjudicator:
    """Asks a model which of the names offered is meant, if any.

    :param match: the question; its labels are marks and ``none``.
    :param ask: asks rows, see ``Session.ask``.
    :param shown: how each name of the kind is shown.
    """

    def __init__(
        self,
        match: Enrichment,
        ask: Callable[[Sequence[Row]], Results],
        kind: str,
        shown: Mapping[str, Shown],
    ):
        self.match, self.ask, self.kind, self.shown = match, ask, kind, shown

    def __call__(self, questions: Sequence[Question]) -> dict[Question, Said | None]:
        """Return what was answered: None where nothing usable came back; what is left out waits."""
        rows = {question: self._row(question) for question in questions}
        said = self._read(rows, self.ask(list(rows.values())))
        # What was never offered is no answer, and the ledger would repeat it: once more, whatever it knows.
        wrong = {
            question: self._row(question, afresh=(self.match.name,))
            for question, one in said.items()
            if one is not None and one.chosen == NOT_OFFERED
        }
        if wrong:
            said |= self._read(wrong, self.ask(list(wrong.values())))
        return {question: None if one is None or one.chosen == NOT_OFFERED else one for question, one in said.items()}

    def _row(self, question: Question, afresh: tuple[str, ...] = ()) -> Row:
        lines = [f"{self.kind}: {self._told(question.name, with_quote=True)}"]
        lines += [f"{mark}{OFFERED}{self._told(other)}" for mark, other in _marked(question)]
        return Row("\n".join(lines), None, (self.match.name,), afresh)

    def _told(self, name: str, with_quote: bool = False) -> str:
        shown = self.shown.get(name, Shown(name))
        also = f" (also {', '.join(map(_one_line, shown.also))})" if shown.also else ""
        quote = f" - in: {_one_line(shown.quote)[:MOST_QUOTED]}" if with_quote and shown.quote else ""
        return f"{_one_line(shown.surface)}{also}{quote}"

    def _read(self, rows: Mapping[Question, Row], results: Results) -> dict[Question, Said | None]:
        said: dict[Question, Said | None] = {}
        for question, row in rows.items():
            asked = (row.key, self.match.name)
            if asked in results.answers:
                decided = results.answers[asked]
                chosen = _chosen(question, decided.answer["label"])
                said[question] = Said(chosen, decided.model, self.match.prompt_version, decided.call_id)
            elif asked in results.rejected:
                said[question] = None
        return said


NOT_OFFERED = ""
"""Stands for a mark that was not in the question; no name is empty."""


def _marked(question: Question) -> Iterable[tuple[str, str]]:
    """Return the names offered under marks, in an order that depends on nothing but the names."""
    offered = sorted(question.offered, key=lambda other: digest(question.name, other))
    return zip(MARKS[: len(offered)], offered, strict=True)


def _chosen(question: Question, label: str) -> str | None:
    return None if label == NONE else dict(_marked(question)).get(label, NOT_OFFERED)


def _one_line(text: str) -> str:
    return " ".join(text.split())
