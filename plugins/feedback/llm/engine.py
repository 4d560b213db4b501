"""The engine: asks packs, as many at a time as it may, whichever round they belong to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from feedback.errors import FeedbackError, SettingError
from feedback.llm.caller import Caller, Stopped, Unanswered
from feedback.llm.cascade import Decider, Models
from feedback.llm.pack import Pack, Row
from feedback.llm.questions import Registry
from feedback.llm.round import Round

REFUSALS = 5
"""So many requests without one answer in the whole run mean that none will come."""

SYNC_S = 1.0
"""How often what was paid is brought to the disk."""

T = TypeVar("T")


class Engine:
    """Workers that ask one service. Rounds share them, so that the service never waits for the last row of one.

    :param models: who is asked.
    :param deciders: the tiers before them, in their order.
    :param most_rows: rows in a request.
    :param concurrency: requests in flight.
    :param thread: where calls that would hold up the requests are made: one after another, so that they share a
        session with the warehouse.
    """

    def __init__(
        self,
        caller: Caller,
        registry: Registry,
        models: Models,
        *,
        deciders: Sequence[Decider] = (),
        most_rows: int = 20,
        concurrency: int = 32,
        thread: Executor | None = None,
    ):
        self.caller, self.ledger, self.registry, self.models = caller, caller.ledger, registry, models
        self.deciders, self.most_rows, self.concurrency = deciders, most_rows, concurrency
        self.stopped = ""
        """Why nothing more is asked; empty while it is."""
        self.rounds: set[Round] = set()
        """Those that are under way."""
        self._thread = thread
        self._queue: asyncio.PriorityQueue[tuple[bool, int, Round, Pack]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._unanswered = 0
        self._is_hungry = asyncio.Event()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[asyncio.TaskGroup]:
        """Let the workers work; lend the group they work in. The first error that is no row's ends it, as its own.

        :raises FeedbackError: the key, the budget or the service is at fault.
        """
        self._is_hungry.set()
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self._work()) for _ in range(self.concurrency)]
                workers.append(group.create_task(self._tend()))
                yield group
                for worker in workers:
                    worker.cancel()
        except BaseExceptionGroup as errors:
            raise _cause(errors) from None

    async def ask(self, rows: Sequence[Row]) -> Round:
        """Ask what the tiers before the models do not know; return the round, in which each question has ended."""
        one = Round(self, rows)
        self.rounds.add(one)
        await one.run()
        self.rounds.discard(one)
        if self._unanswered and not self.caller.answered and not self.stopped:
            raise self.not_a_service()
        return one

    async def hungry(self) -> None:
        """Wait until there is less to ask than the workers can take up at once."""
        await self._is_hungry.wait()

    async def in_thread(self, function: Callable[..., T], *args: object) -> T:
        """Call what would hold up the requests."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

    def enqueue(self, one: Round, pack: Pack, is_again: bool) -> None:
        """Queue a pack; one that is asked again goes before those that were never asked."""
        self._queue.put_nowait((not is_again, next(self._numbers), one, pack))
        if self._queue.qsize() > self.concurrency:
            self._is_hungry.clear()

    def not_a_service(self) -> SettingError:
        """Return the error of a connection that leads to something else."""
        endpoint = self.caller.service.endpoint
        return SettingError(
            f"connection {endpoint.conn_id}: {endpoint.address} answers no request for model {self.models.small.name}"
            " as an OpenAI-compatible service does: check the connection's host and FEEDBACK_LLM_MODEL"
        )

    async def _work(self) -> None:
        while True:
            _, _, one, pack = await self._queue.get()
            if self._queue.qsize() <= self.concurrency:
                self._is_hungry.set()
            try:
                if not self.stopped:
                    await self._ask(one, pack)
            except Stopped as stop:
                self.stopped = self.stopped or str(stop)
            finally:
                one.landed()

    async def _ask(self, one: Round, pack: Pack) -> None:
        try:
            call_id, reply = await self.caller.send(pack)
        except Unanswered as unanswered:
            self._unanswered += str(unanswered) != "too_long"
            if self._unanswered >= REFUSALS and not self.caller.answered:
                raise self.not_a_service() from None
            await one.unanswered(pack, str(unanswered))
        else:
            await one.answered(pack, call_id, reply)

    async def _tend(self) -> None:
        """Flush the ledger when it is due, and bring the journal to the disk meanwhile."""
        synced = time.monotonic()
        while True:
            await asyncio.sleep(0.2)
            if self.ledger.is_due:
                await self.in_thread(self.ledger.flush)
            elif time.monotonic() - synced >= SYNC_S:
                synced = time.monotonic()
                await asyncio.to_thread(self.ledger.sync)


def _cause(group: BaseExceptionGroup) -> BaseException:
    """Return one error of ours out of a group, for they have one cause; a group without any as it is."""
    ours = group.subgroup(FeedbackError)
    error: BaseException = ours or group
    while ours and isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
