"""One session with one service: what is owed is asked shard by shard, and what is answered is staged meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from feedback.errors import SettingError
from feedback.garbage import few_collections
from feedback.llm import owed, prices
from feedback.llm.asking import Asking
from feedback.llm.budget import Budget
from feedback.llm.caller import Caller
from feedback.llm.cascade import Models, Paid, Rules
from feedback.llm.checks import PackChecks
from feedback.llm.engine import Engine
from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import Ledger
from feedback.llm.owed import Owed, Shard
from feedback.llm.pace import Limiter
from feedback.llm.pack import Row
from feedback.llm.progress import Progress
from feedback.llm.questions import Registry
from feedback.llm.results import Results
from feedback.llm.service import Endpoint, Service
from feedback.llm.staged import Staging, leave_waiting

if TYPE_CHECKING:
    import pyarrow as pa

OPEN_SHARDS = 3
"""Shards in memory at a time: one that is asked, one whose last rows are asked again, one that is made ready; more
where more rows are in flight than one has."""

READ_AT_ONCE = 8
"""Shards that are read and looked for in the ledger together, and held as the warehouse gives them."""

REPORT_S = 5.0

T = TypeVar("T")


def models_of(asking: Asking, endpoint: Endpoint) -> Models:
    """Return the models that the settings and the price table choose.

    A user who names a model of his own is not given a large one that his service may not have.

    :raises PriceUnknown: a model that costs money has no price.
    :raises SettingError: the model is wanted in mode flex and not sold so.
    """
    table = prices.read(asking.prices)
    small = table.model(asking.model or table.default_model, endpoint.is_loopback)
    if asking.mode == "flex" and small.flex is None:
        raise SettingError(
            f"FEEDBACK_LLM_MODE=flex: the price table has no `flex` for model {small.name}:"
            " add it in FEEDBACK_LLM_PRICES, or set the mode to online"
        )
    large = asking.large_model or (None if asking.model else table.large_model)
    return Models(small, table.model(large, endpoint.is_loopback) if large and large != small.name else None)


@dataclass
class Outcome:
    """What a session did: where each question ended, and why it stopped asking, if it did."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""


class Session:
    """What one run asks of one service, without Airflow. What is paid is in the ledger, whatever happens.

    :param tell: tells a person, as a logger's ``info`` does; see ``Progress``.
    """

    def __init__(
        self,
        ledger: Ledger,
        enrichments: Sequence[Enrichment],
        asking: Asking,
        endpoint: Endpoint,
        models: Models,
        tell: Callable[..., None],
    ):
        self.ledger, self.warehouse, self.run = ledger, ledger.warehouse, ledger.run
        self.enrichments, self.registry = enrichments, Registry(enrichments)
        self.asking, self.endpoint, self.models, self.tell = asking, endpoint, models, tell
        self.checks = PackChecks(self.warehouse, self.registry, models.small, self.run, asking.pack)
        self._texts = self._done = 0

    def ask_owed(self) -> Outcome:
        """Ask every question that was written down as owed, and stage what became of it."""

        async def all_shards(engine: Engine) -> Outcome:
            outcome = await self._all_shards(engine)
            if self.asking.checks and not (engine.stopped or self.models.is_offline):
                await self.checks.ask(engine.caller)
            return outcome

        return self._with_engine(all_shards)

    def ask(self, rows: Sequence[Row]) -> Results:
        """Ask about some rows; return what became of each question."""

        async def some(engine: Engine) -> Results:
            self._texts = len(rows)
            return (await engine.ask(rows)).results

        return self._with_engine(some)

    def _with_engine(self, work: Callable[[Engine], Awaitable[T]]) -> T:
        try:
            with few_collections(), ThreadPoolExecutor(1, "warehouse") as thread:
                return asyncio.run(self._at_work(work, thread))
        finally:
            self.ledger.close()

    async def _at_work(self, work: Callable[[Engine], Awaitable[T]], thread: ThreadPoolExecutor) -> T:
        asking, ledger, known = self.asking, self.ledger, self.registry.by_name
        limiter = Limiter(asking.rpm, asking.tpm, asking.concurrency)
        self._paid = Paid(ledger, known, self.models)
        budget = Budget(asking.budget_usd, asking.budget_usd_day, ledger.spent())
        async with Service(self.endpoint, ledger.mode) as service:
            engine = Engine(
                Caller(service, limiter, budget, ledger),
                self.registry,
                self.models,
                deciders=(Rules(known), self._paid),
                most_rows=self.checks.most_rows,
                concurrency=asking.concurrency,
                thread=thread,
            )
            async with engine.at_work() as group:
                report = group.create_task(self._report(engine, Progress(ledger, limiter, self.tell)))
                done = await work(engine)
                report.cancel()
                return done

    async def _all_shards(self, engine: Engine) -> Outcome:
        """Ask shard after shard, the next one as soon as the workers would run dry."""
        staging = Staging(self.warehouse, self.enrichments, self.run)
        waiting = deque(await engine.in_thread(owed.shards, self.warehouse, self.run))
        self._texts = sum(shard.texts for shard in waiting)
        in_flight = self.asking.concurrency * self.checks.most_rows
        room = asyncio.Semaphore(OPEN_SHARDS + in_flight // owed.SHARD_TEXTS)
        ready: deque[pa.Table] = deque()

        def stage(items: Sequence[Owed], results: Results, shard: Shard) -> None:
            staging.add(items, results, shard)
            if staging.is_due:
                self.ledger.flush(staging.write)

        async def ask(shard: Shard, table: pa.Table) -> None:
            items = owed.as_items(table, self.enrichments)
            asked = await engine.ask(owed.rows_of(items))
            self.checks.choose(asked)
            self._done += len(asked.rows)
            await engine.in_thread(stage, items, asked.results, shard)
            room.release()

        async with asyncio.TaskGroup() as group:
            while waiting and not engine.stopped:
                await room.acquire()
                await engine.hungry()
                if not ready:
                    some = list(islice(waiting, READ_AT_ONCE))
                    ready.extend(await engine.in_thread(self._read, some))
                if not engine.stopped:
                    group.create_task(ask(waiting.popleft(), ready.popleft()))
        await engine.in_thread(self.ledger.flush, staging.write)
        if waiting:
            left = await engine.in_thread(leave_waiting, self.warehouse, self.run, engine.stopped)
            staging.counts["pending"] += left
        return Outcome(staging.counts, engine.stopped)

    def _read(self, shards: Sequence[Shard]) -> list[pa.Table]:
        tables = owed.read_together(self.warehouse, shards, self.run)
        self._paid.look_ahead(owed.questions_of(tables))
        return tables

    async def _report(self, engine: Engine, progress: Progress) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            progress(self._done + sum(one.done for one in engine.rounds), self._texts)
