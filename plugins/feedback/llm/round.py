"""One round: some rows on their way, from the tiers that cost nothing over the small model to the large one.

A pack that fails is salvaged (rows with valid answers are kept), the rest is split in half, down to single
rows: one poison row costs itself alone. A row whose answer is invalid is asked again once, alone. What the small
model does not get done the large one is asked, once the small one has had its turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from feedback.llm.cascade import is_unsure
from feedback.llm.ledger import Paid, answer_key
from feedback.llm.pack import Pack, Row, fits, packs, room_for_text, size
from feedback.llm.prices import Model
from feedback.llm.reading import read
from feedback.llm.results import Decided, Question, Results
from feedback.llm.service import Reply
from feedback.text.chunking import chunks

if TYPE_CHECKING:
    from feedback.llm.engine import Engine


class Round:
    """Where each row of a round stands. Packs go to the engine, which brings back what became of them."""

    def __init__(self, engine: Engine, rows: Sequence[Row]):
        self.engine, self.rows = engine, rows
        self.models, self.registry = engine.models, engine.registry
        self.results = Results()
        self.packed: dict[Question, int] = {}
        """Questions that were answered beside other rows, and how many rows shared the request."""
        self._failures: Counter[str] = Counter()
        self._failures_alone: Counter[str] = Counter()
        self._parts: list[tuple[Row, list[Row]]] = []
        self._unsure: dict[Question, Decided] = {}
        self._hard: list[Row] = []
        self._waiting = 0
        self._is_idle = asyncio.Event()

    @property
    def done(self) -> int:
        """How many rows owe nothing more."""
        return len(self.rows) - len(self._open(self.rows))

    async def run(self) -> None:
        """See every row through: in ``results`` is then what became of each question."""
        await self._place(await self._undecided(self.rows))
        await self._idle()
        if self.models.large and not self.engine.stopped:
            self._hand_over(self.models.large)
            await self._idle()
        for question, decided in self._unsure.items():
            self.results.answers.setdefault(question, decided)
        self.results.stopped = self.engine.stopped
        self._join()

    # Where a row goes

    async def _undecided(self, rows: Sequence[Row]) -> list[Row]:
        """Take what the tiers before the models decide; return the rows that still owe something to the small one."""
        open_rows = list(rows)
        for decider in self.engine.deciders:
            if open_rows:
                decided = await self.engine.in_thread(decider.decide, open_rows)
                for question, one in decided.items():
                    self._accept(question, one)
                open_rows = self._open(open_rows)
        return open_rows

    async def _place(self, rows: Sequence[Row]) -> None:
        """Queue rows for the model they fit, or cut those that fit none."""
        small, large = self.models.small, self.models.large
        fitting, rest = self._fitting(rows, small)
        self._enqueue(fitting, small)
        if large:
            fitting, rest = self._fitting(rest, large)
            self._enqueue(fitting, large, 1)
        for row in rest:
            model = max((small, large or small), key=lambda model: model.window)
            await self._cut(row, model, room_for_text(self.registry.questions(row.owed), model))

    def _fitting(self, rows: Sequence[Row], model: Model) -> tuple[list[Row], list[Row]]:
        """Part the rows that a model can be asked about from those it cannot."""
        parts: tuple[list[Row], list[Row]] = ([], [])
        for row in rows:
            parts[not fits(row, self.registry, model)].append(row)
        return parts

    async def _cut(self, row: Row, model: Model, room: int) -> None:
        """Ask about a long text in parts."""
        parts = [Row(text, row.rating, row.owed, row.afresh) for text in chunks(row.text, room, size)]
        self._parts.append((row, parts))
        distinct = list({part.key: part for part in parts}.values())
        self._enqueue(await self._undecided(distinct), model, 1)

    def _hand_over(self, large: Model) -> None:
        """Ask the large model what the small one was unsure of, and one by one what it could not answer."""
        asked = [*self.rows, *(part for _, parts in self._parts for part in parts)]
        unsure = {row.key: row for row in asked for name in row.owed if (row.key, name) in self._unsure}
        fitting, _ = self._fitting(list(unsure.values()), large)
        for row in fitting:
            for name in row.owed:
                if (row.key, name) in self._unsure:
                    del self.results.answers[row.key, name]
        self._enqueue(self._open(fitting), large)
        self._enqueue(self._hard, large, 1)

    def _enqueue(self, rows: Iterable[Row], model: Model, most_rows: int | None = None, is_again: bool = False) -> None:
        for pack in packs(rows, self.registry, model, most_rows or self.engine.most_rows):
            self._waiting += 1
            self._is_idle.clear()
            self.engine.enqueue(self, pack, is_again)

    # What came back

    async def answered(self, pack: Pack, call_id: str, reply: Reply) -> None:
        """Keep each valid answer; find another way for the rows without one."""
        reading = read(reply.content, pack)
        valid = {question: answer for question, answer in reading.answers.items() if self.results.is_open(question)}
        self.engine.ledger.keep_pack(pack, valid, call_id)
        for question, answer in valid.items():
            self._accept(question, Decided(answer, "llm", pack.model.name, call_id))
        if len(pack.rows) > 1:
            self.packed |= dict.fromkeys(valid, len(pack.rows))
        invalid = {key for key, _ in reading.invalid}
        for row in self._open([row for row in pack.rows if row.key in invalid]):
            self._invalid(row, pack, reading.invalid)
        silent = self._open([row for row in pack.rows if row.key not in invalid])
        if silent:
            self._failed(silent, pack, reply.finish_reason if reply.finish_reason != "stop" else "not_answered")

    async def unanswered(self, pack: Pack, reason: str) -> None:
        """Find another way for a pack that the service would not answer."""
        if reason == "too_long":
            await self._shorten(pack)
        else:
            self._failed(self._open(pack.rows), pack, reason)

    def landed(self) -> None:
        """Note that a pack is done with, whatever became of it."""
        self._waiting -= 1
        if not self._waiting:
            self._is_idle.set()

    def _accept(self, question: Question, decided: Decided) -> None:
        """Take an answer; one that the small model is unsure of stands until the large one is asked."""
        enrichment = self.registry.by_name[question[1]]
        is_small = decided.model == self.models.small.name
        self.results.answers[question] = decided
        if self.models.large and is_small and is_unsure(enrichment, decided.answer):
            self._unsure[question] = decided

    def _invalid(self, row: Row, pack: Pack, problems: Mapping[Question, str]) -> None:
        """Ask again once, alone; then give up what is still invalid."""
        self._failures[row.key] += 1
        if len(pack.rows) > 1 or self._failures[row.key] < 2:
            self._enqueue([row], pack.model, 1, is_again=True)
            return
        self._give_up(row, pack.model, {name: problems.get((row.key, name), "not_answered") for name in row.owed})

    def _failed(self, rows: Sequence[Row], pack: Pack, reason: str) -> None:
        """Split rows that got no answer; give up one that got none twice alone."""
        for row in rows:
            self._failures[row.key] += 1
        if len(pack.rows) > 1:
            self._enqueue(rows, pack.model, -(-len(rows) // 2), is_again=True)
            return
        for row in rows:
            self._failures_alone[row.key] += 1
            if self._failures_alone[row.key] < 2:
                self._enqueue([row], pack.model, 1, is_again=True)
            elif reason == "service":
                self.results.waiting |= {(row.key, name): reason for name in row.owed}
            else:
                self._give_up(row, pack.model, dict.fromkeys(row.owed, reason))

    def _give_up(self, row: Row, model: Model, reasons: Mapping[str, str]) -> None:
        """Leave a row to the model above, or set it aside where there is none."""
        large = self.models.above(model)
        if large and fits(row, self.registry, large):
            self._failures[row.key] = self._failures_alone[row.key] = 0
            self._hard.append(row)
        else:
            self.results.rejected |= {
                (row.key, name): reason for name, reason in reasons.items() if (row.key, name) not in self._unsure
            }

    async def _shorten(self, pack: Pack) -> None:
        """The service counts more tokens than we estimated: fewer rows, then the large model, then parts."""
        (row, *others) = pack.rows
        large = self.models.above(pack.model)
        if others:
            self._enqueue(pack.rows, pack.model, -(-len(pack.rows) // 2), is_again=True)
        elif large and large.window > pack.model.window:
            self._enqueue([row], large, 1, is_again=True)
        elif len(row.text) > 1:
            await self._cut(row, pack.model, max(1, -(-size(row.text) // 2)))
        else:
            raise self.engine.not_a_service()

    def _join(self) -> None:
        """Join parts, the innermost first; keep each joint answer as the answer to the whole text."""
        for whole, parts in reversed(self._parts):
            self.results.join(whole, parts, self.registry.by_name)
            for name in whole.owed:
                decided = self.results.answers.get((whole.key, name))
                if decided and decided.call_id and decided.model:
                    large = self.models.large
                    model = large if large and decided.model == large.name else self.models.small
                    key = answer_key(whole.key, self.registry.by_name[name], model)
                    paid = Paid(key, name, decided.answer, decided.model)
                    self.engine.ledger.keep([paid], f"{name} in {len(parts)} parts", decided.call_id)

    # Small things

    def _open(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that still owe something, with that."""
        return self.results.open_rows(rows)

    async def _idle(self) -> None:
        if self._waiting:
            await self._is_idle.wait()
