"""The engine: every row asked once, many to a request, and each question ending in exactly one place.

A pack that fails is salvaged (rows with valid answers are kept), the rest is split in half, down to single
rows: one poison row costs itself alone. A row whose answer is invalid is asked again once, alone, and then
set aside.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence

from feedback.errors import FeedbackError, SettingError
from feedback.llm import tokens
from feedback.llm.caller import Caller, Stopped, Unanswered
from feedback.llm.ledger import answer_key
from feedback.llm.pack import Pack, Row, fits, packs, room_for_text
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.reading import read
from feedback.llm.results import Decided, Results
from feedback.text.chunking import chunks

REFUSALS = 5
"""So many requests without one answer in the whole run mean that none will come."""

REPORT_S = 5.0


class Engine:
    """Asks the rows of one run.

    :param model: asked first.
    :param large_model: asked about texts that do not fit ``model``.
    :param most_rows: rows in a request.
    :param concurrency: requests in flight.
    :param report: called every few seconds with (rows done, rows in all).
    """

    def __init__(
        self,
        caller: Caller,
        registry: Registry,
        *,
        model: Model,
        large_model: Model | None = None,
        most_rows: int = 20,
        concurrency: int = 32,
        report: Callable[[int, int], None] = lambda done, total: None,
    ):
        self.caller, self.registry, self.ledger = caller, registry, caller.ledger
        self.model, self.large_model = model, large_model
        self.most_rows, self.concurrency, self.report = most_rows, concurrency, report
        self.results = Results()
        self._queue: asyncio.Queue[Pack] = asyncio.Queue()
        self._failures: Counter[str] = Counter()
        self._failures_alone: Counter[str] = Counter()
        self._unanswered = 0
        self._parts: list[tuple[Row, list[Row]]] = []
        self._rows: list[Row] = []

    async def ask(self, rows: Sequence[Row]) -> Results:
        """Ask what the ledger does not know; return what became of each question."""
        self._rows = list(rows)
        self._place(self._not_known(rows))
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self._work()) for _ in range(self.concurrency)]
                tender = group.create_task(self._tend())
                await self._queue.join()
                for task in (*workers, tender):
                    task.cancel()
        except BaseExceptionGroup as group:
            raise _cause(group) from None
        if self._unanswered and not self.caller.answered and not self.results.stopped:
            raise self._not_a_service()
        self._join()
        return self.results

    # Where a row goes

    def _not_known(self, rows: Sequence[Row]) -> list[Row]:
        """Answer from the ledger what was paid before; return the rows that still owe something."""
        models = [model for model in (self.model, self.large_model) if model]
        keys = {
            answer_key(row.key, self.registry.by_name[name], model): (row.key, name)
            for model in models
            for row in rows
            for name in row.owed
            if name not in row.afresh
        }
        for key, known in self.ledger.known(list(keys)).items():
            self.results.answers.setdefault(keys[key], Decided(known.answer, "cache", known.model, known.call_id))
        return self.results.open_rows(rows)

    def _place(self, rows: Sequence[Row]) -> None:
        """Queue rows for the model they fit, or cut those that fit none."""
        small = [row for row in rows if fits(row, self.registry, self.model)]
        rest = [row for row in rows if not fits(row, self.registry, self.model)]
        self._enqueue(small, self.model, self.most_rows)
        if self.large_model:
            self._enqueue([row for row in rest if fits(row, self.registry, self.large_model)], self.large_model, 1)
            rest = [row for row in rest if not fits(row, self.registry, self.large_model)]
        for row in rest:
            model = max((self.model, self.large_model or self.model), key=lambda model: model.window)
            self._cut(row, model, room_for_text(self.registry.questions(row.owed), model))

    def _cut(self, row: Row, model: Model, room: int) -> None:
        """Ask about a long text in parts."""
        parts = [Row(text, row.rating, row.owed, row.afresh) for text in chunks(row.text, room, tokens.estimate)]
        self._parts.append((row, parts))
        distinct = list({part.key: part for part in parts}.values())
        self._enqueue(self._not_known(distinct), model, 1)

    def _enqueue(self, rows: Sequence[Row], model: Model, most_rows: int) -> None:
        for pack in packs(rows, self.registry, model, most_rows):
            self._queue.put_nowait(pack)

    # Asking

    async def _work(self) -> None:
        while True:
            pack = await self._queue.get()
            try:
                if not self.results.stopped:
                    await self._ask(pack)
            except Stopped as stop:
                self.results.stopped = self.results.stopped or str(stop)
            finally:
                self._queue.task_done()

    async def _ask(self, pack: Pack) -> None:
        try:
            call_id, reply = await self.caller.send(pack)
        except Unanswered as unanswered:
            self._again(pack, str(unanswered))
            return
        reading = read(reply.content, pack)
        co_asked = f"{'+'.join(pack.questions.names)} x{len(pack.rows)}"
        for (key, name), answer in reading.answers.items():
            if self.results.is_open((key, name)):
                self.results.answers[key, name] = Decided(answer, "llm", pack.model.name, call_id)
                kept_as = answer_key(key, self.registry.by_name[name], pack.model)
                self.ledger.keep(kept_as, name, answer, pack.model, co_asked, call_id)
        invalid = {key for key, _ in reading.invalid}
        for row in self.results.open_rows([row for row in pack.rows if row.key in invalid]):
            self._invalid(row, pack, reading.invalid)
        silent = self.results.open_rows([row for row in pack.rows if row.key not in invalid])
        if silent:
            self._failed(silent, pack, reply.finish_reason if reply.finish_reason != "stop" else "not_answered")

    def _invalid(self, row: Row, pack: Pack, problems: dict[tuple[str, str], str]) -> None:
        """Ask again once, alone; then set aside what is still invalid."""
        self._failures[row.key] += 1
        if len(pack.rows) > 1 or self._failures[row.key] < 2:
            self._enqueue([row], pack.model, 1)
            return
        for name in row.owed:
            self.results.rejected[row.key, name] = problems.get((row.key, name), "not_answered")

    def _failed(self, rows: Sequence[Row], pack: Pack, reason: str) -> None:
        """Split rows that got no answer; set one aside that got none twice alone."""
        for row in rows:
            self._failures[row.key] += 1
        if len(pack.rows) > 1:
            self._enqueue(rows, pack.model, -(-len(rows) // 2))
            return
        (row,) = rows
        self._failures_alone[row.key] += 1
        if self._failures_alone[row.key] < 2:
            self._enqueue(rows, pack.model, 1)
            return
        for name in row.owed:
            if reason == "service":
                self.results.waiting[row.key, name] = reason
            else:
                self.results.rejected[row.key, name] = reason

    def _again(self, pack: Pack, reason: str) -> None:
        """Find another way for a pack that the service would not answer."""
        if reason == "too_long":
            self._shorten(pack)
            return
        self._unanswered += 1
        if self._unanswered >= REFUSALS and not self.caller.answered:
            raise self._not_a_service()
        self._failed(self.results.open_rows(pack.rows), pack, reason)

    def _shorten(self, pack: Pack) -> None:
        """The service counts more tokens than we estimated: fewer rows, then the large model, then parts."""
        (row, *others) = pack.rows
        if others:
            self._enqueue(pack.rows, pack.model, -(-len(pack.rows) // 2))
        elif self.large_model and self.large_model.window > pack.model.window:
            self._enqueue([row], self.large_model, 1)
        elif len(row.text) > 1:
            self._cut(row, pack.model, max(1, -(-tokens.estimate(row.text) // 2)))
        else:
            raise self._not_a_service()

    # Beside the asking

    async def _tend(self) -> None:
        """Flush the ledger when it is due, and report."""
        reported = time.monotonic()
        while True:
            await asyncio.sleep(0.2)
            if self.ledger.is_due:
                await asyncio.to_thread(self.ledger.flush)
            if time.monotonic() - reported >= REPORT_S:
                reported = time.monotonic()
                self.report(len(self._rows) - len(self.results.open_rows(self._rows)), len(self._rows))

    def _join(self) -> None:
        """Join parts, the innermost first; keep each joint answer as the answer to the whole text."""
        for whole, parts in reversed(self._parts):
            self.results.join(whole, parts, self.registry.by_name)
            for name in whole.owed:
                decided = self.results.answers.get((whole.key, name))
                if decided and decided.call_id:
                    model = (
                        self.large_model if self.large_model and decided.model == self.large_model.name else self.model
                    )
                    key = answer_key(whole.key, self.registry.by_name[name], model)
                    self.ledger.keep(key, name, decided.answer, model, f"{name} in {len(parts)} parts", decided.call_id)

    def _not_a_service(self) -> SettingError:
        endpoint = self.caller.service.endpoint
        return SettingError(
            f"connection {endpoint.conn_id}: {endpoint.base_url} answers no request for model {self.model.name} as an"
            " OpenAI-compatible service does: check the connection's host and FEEDBACK_LLM_MODEL"
        )


def _cause(group: BaseExceptionGroup) -> BaseException:
    """Return one error of ours out of a group, for they have one cause; a group without any as it is."""
    ours = group.subgroup(FeedbackError)
    if ours is None:
        return group
    error: BaseException = ours
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
