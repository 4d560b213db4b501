"""What became of each question of a run: answered, set aside or left for the next run, exactly one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.pack import Row

Question = tuple[str, str]
"""Key of a row, name of an enrichment."""


class Decided(NamedTuple):
    """An accepted answer, and who gave it."""

    answer: Answer
    decided_by: str
    model: str | None
    call_id: str | None


@dataclass(repr=False)  # asyncio puts results into the text of its tasks
class Results:
    """Filled while a run asks; read when it stages."""

    answers: dict[Question, Decided] = field(default_factory=dict)
    rejected: dict[Question, str] = field(default_factory=dict)
    waiting: dict[Question, str] = field(default_factory=dict)
    """Why a question is pending, where it has a reason of its own."""
    stopped: str = ""
    """Why the run stopped asking: the reason of every other pending question."""

    def is_open(self, question: Question) -> bool:
        return question not in self.answers and question not in self.rejected

    def why_waiting(self, question: Question) -> str:
        """Return the reason of a pending question."""
        return self.waiting.get(question) or self.stopped

    def still_owed(self, row: Row) -> Row | None:
        """Return the row with what it still owes, or None."""
        owed = [name for name in row.owed if self.is_open((row.key, name))]
        return row.owing(owed) if owed else None

    def open_rows(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that still owe something, with that."""
        return [owing for row in rows if (owing := self.still_owed(row))]

    def join(self, whole: Row, parts: Sequence[Row], enrichments: Mapping[str, Enrichment]) -> None:
        """Decide about a long text what was decided about its parts, once there is an answer for each of them."""
        for name in whole.owed:
            question, of_parts = (whole.key, name), [(part.key, name) for part in parts]
            if not self.is_open(question):
                continue
            rejected = [self.rejected[part] for part in of_parts if part in self.rejected]
            missing = [self.why_waiting(part) for part in of_parts if self.is_open(part)]
            if rejected:
                self.rejected[question] = rejected[0]
            elif missing:
                self.waiting[question] = missing[0]
            else:
                decided = [self.answers[part] for part in of_parts]
                weighted = [(len(part.text), one.answer) for part, one in zip(parts, decided, strict=True)]
                last = decided[-1]
                by = "cache" if all(one.decided_by == "cache" for one in decided) else last.decided_by
                self.answers[question] = Decided(enrichments[name].join(weighted), by, last.model, last.call_id)
