"""Whether sharing a request changes answers: some rows are also asked alone, and the agreement is kept.

Rows in a request share its instructions, which is most of the price; a model may mix them up, which no schema shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.llm.caller import Caller, Stopped, Unanswered
from feedback.llm.enrichment import Answer, Enrichment
from feedback.llm.pack import Pack, Row
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.reading import read
from feedback.llm.results import Question
from feedback.llm.round import Round
from feedback.model import Run, utc_now
from feedback.validation.batch import ENOUGH_CHECKS, LEAST_AGREEMENT
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import append

PURPOSE = "check"
"""Of these calls in the ledger."""

FIRST, ONE_IN_FIRST = 200, 10
"""So many rows are checked once per prompt version and model, at most one in ten of a run."""

ONE_IN = 2_000
"""After that."""


@dataclass(frozen=True)
class Checked:
    """A row that was answered beside others, and what was answered.

    :param pack_rows: how many rows shared the request.
    """

    row: Row
    answers: Mapping[str, Answer]
    pack_rows: int


class PackChecks:
    """Chooses rows, asks them alone, and keeps how well the answers agree.

    :param wanted: rows in a request that the user allows.
    """

    def __init__(self, warehouse: Warehouse, registry: Registry, model: Model, run: Run, wanted: int):
        self.warehouse, self.registry, self.model, self.run = warehouse, registry, model, run
        self._known = self._agreements()
        self.most_rows = wanted
        """Rows that a request may have: half as many for as long as answers at that size were found to disagree."""
        while self.most_rows > 1 and any(self._disagrees(name) for name in registry.by_name):
            self.most_rows //= 2
        self.first = max(0, FIRST - min(self._count(name, 0) for name in registry.by_name))
        self._seen = 0
        self._chosen: list[Checked] = []

    def choose(self, asked: Round) -> None:
        """Choose rows of a round: each tenth until enough are checked, then those whose hash falls in a small part."""
        for row in asked.rows:
            if not self.first and int(row.key[:8], 16) % ONE_IN:
                continue
            answers = {name: answer for name in row.owed if (answer := self._packed((row.key, name), asked))}
            self._seen += bool(answers)
            if answers and not (self.first and self._seen % ONE_IN_FIRST):
                self.first = max(0, self.first - 1)
                size = max(asked.packed[row.key, name] for name in answers)
                self._chosen.append(Checked(row.owing(tuple(answers)), answers, size))

    async def ask(self, caller: Caller) -> None:
        """Ask the chosen rows alone; a row without an answer is left out."""
        found = await asyncio.gather(*(self._ask(caller, checked) for checked in self._chosen))
        append(self.warehouse, "ops.pack_checks", [row for rows in found for row in rows])

    async def _ask(self, caller: Caller, checked: Checked) -> list[dict[str, Any]]:
        pack = Pack((checked.row,), self.registry.questions(checked.row.owed), self.model)
        try:
            call_id, reply = await caller.send(pack, PURPOSE)
        except (Stopped, Unanswered):
            return []
        alone = read(reply.content, pack).answers
        return [
            {
                "enrichment": name,
                "prompt_version": self.registry.by_name[name].prompt_version,
                "model": self.model.name,
                "text_hash": checked.row.key,
                "pack_rows": checked.pack_rows,
                "agreement": agreement(self.registry.by_name[name], answer, alone[checked.row.key, name]),
                "call_id": call_id,
                "run_id": self.run.run_id,
                "checked_at": utc_now(),
            }
            for name, answer in checked.answers.items()
            if (checked.row.key, name) in alone
        ]

    def _agreements(self) -> list[dict[str, Any]]:
        """Return how often and how well answers of this model to these prompts agreed, by the size of the pack."""
        found = self.warehouse.rows(
            "select enrichment, prompt_version, pack_rows, count(*) as n, avg(agreement) as agreement"
            " from ops.pack_checks where model = ? group by enrichment, prompt_version, pack_rows",
            (self.model.name,),
        )
        versions = {(e.name, e.prompt_version) for e in self.registry.by_name.values()}
        return [row for row in found if (row["enrichment"], row["prompt_version"]) in versions]

    def _packed(self, question: Question, asked: Round) -> Answer | None:
        """Return the answer that the small model gave beside other rows, if it did and it stands."""
        decided = asked.results.answers.get(question)
        return decided.answer if decided and question in asked.packed and decided.model == self.model.name else None

    def _of(self, name: str, above: int) -> list[dict[str, Any]]:
        """Return what is known of a question at packs of more than so many rows, and no more than are asked now."""
        return [row for row in self._known if row["enrichment"] == name and above < row["pack_rows"] <= self.most_rows]

    def _count(self, name: str, above: int) -> int:
        return sum(int(row["n"]) for row in self._of(name, above))

    def _disagrees(self, name: str) -> bool:
        above = self.most_rows // 2
        n = self._count(name, above)
        return (
            n >= ENOUGH_CHECKS
            and sum(row["n"] * row["agreement"] for row in self._of(name, above)) / n < LEAST_AGREEMENT
        )


def agreement(enrichment: Enrichment, one: Answer, other: Answer) -> float:
    """Return how far two answers say the same: what they have in common of all that they name."""
    names = [_named(enrichment, answer) for answer in (one, other)]
    both, either = names[0] & names[1], names[0] | names[1]
    return len(both) / len(either) if either else 1.0


def _named(enrichment: Enrichment, answer: Answer) -> set[tuple[str, ...]]:
    """Return what an answer names: its labels, with the words they are given to."""
    words = [name for name, kind in enrichment.form.kinds.items() if kind in ("label", "words")]
    return {tuple(str(part[name]).casefold() for name in words) for part in enrichment.parts(answer)}
