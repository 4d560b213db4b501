"""One session with one Batch API: everything that asking in batches needs, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from feedback.llm import prices
from feedback.llm.asking import Asking
from feedback.llm.batch import GIVEN_UP, OVERDUE, Batches
from feedback.llm.batch_round import BatchRound
from feedback.llm.batch_service import BatchService
from feedback.llm.batch_store import BatchStore
from feedback.llm.budget import Budget
from feedback.llm.cascade import Models
from feedback.llm.checks import PackChecks
from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import Ledger
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.results import Results
from feedback.llm.service import Endpoint
from feedback.llm.session import Session


def offered(endpoint: Endpoint) -> None:
    """Make sure that a service has a Batch API.

    :raises FeedbackError: it has not, or does not answer; one line says what to do.
    """

    async def look() -> None:
        async with BatchService(endpoint) as service:
            await service.offered()

    asyncio.run(look())


@dataclass(frozen=True)
class Out:
    """What is out, and when somebody should look at it at the latest (UTC)."""

    batch_ids: tuple[str, ...]
    until: datetime


class BatchSession:
    """Asks for one run. Batches that are out although they are not the mode any more are cancelled and landed."""

    def __init__(
        self,
        store: BatchStore,
        enrichments: Sequence[Enrichment],
        asking: Asking,
        endpoint: Endpoint,
        models: Models,
        tell: Callable[..., None],
    ):
        self.store, self.enrichments, self.asking = store, enrichments, asking
        self.endpoint, self.models, self.tell = endpoint, models, tell
        self.is_wanted = asking.mode == "batch"
        self.ledger = Ledger(store.warehouse, store.run, "batch")
        self.registry = Registry(enrichments)
        self.checks = PackChecks(store.warehouse, self.registry, models.small, store.run, asking.pack)
        self.round = BatchRound(store, self.ledger, self.registry, models, self.checks.most_rows)

    def advance(self, rows: Sequence[Row]) -> Out | None:
        """Bring every batch as far as it goes, and send this run's; return what is out, or None once all has landed.

        It may be called again after anything: what was done is not done again.
        """
        return asyncio.run(self._advance(rows))

    async def _advance(self, rows: Sequence[Row]) -> Out | None:
        async with BatchService(self.endpoint) as service:
            batches = Batches(service, self.store, self.ledger, self.registry, self._model, self.tell)
            out = await batches.bring_in(self.is_wanted)
            if not out and self.is_wanted and not self.round.is_sent:
                budget = Budget(self.asking.budget_usd, self.asking.budget_usd_day, self.ledger.spent())
                out = await batches.send(*self.round.requests(rows, budget.left))
        if not out:
            return None
        until = min(batch.created_at + (OVERDUE if batch.age < OVERDUE else GIVEN_UP) for batch in out)
        return Out(tuple(str(batch.batch_id) for batch in out), until)

    def _model(self, name: str) -> Model:
        """Return a model, also one that was chosen when a batch was sent and is not any more."""
        chosen = {model.name: model for model in (self.models.small, self.models.large) if model}
        return chosen.get(name) or prices.read(self.asking.prices).model(name, self.endpoint.is_loopback)

    def results(self, rows: Sequence[Row]) -> Results:
        """Return what became of each question, once nothing is out; what batches cannot settle is asked online now."""
        results, now = self.round.results(rows, self.is_wanted)
        if now:
            mode = "online" if self.is_wanted else self.asking.mode
            ledger = Ledger(self.store.warehouse, self.store.run, mode, self.asking.journal)
            asking = replace(self.asking, pack=1) if self.is_wanted else self.asking
            asked = Session(ledger, self.enrichments, asking, self.endpoint, self.models, self.tell).ask(now)
            for name in ("answers", "rejected", "waiting"):
                getattr(results, name).update(getattr(asked, name))
            results.stopped = asked.stopped
        return results

    def paid(self) -> dict[str, int | float]:
        """Return what this task of this run has paid, before and after it waited."""
        run = self.store.run
        return self.store.warehouse.rows(
            "select count_if(purpose <> 'golden') as calls, 0 as check_calls,"
            " count_if(purpose = 'golden') as golden_calls, coalesce(sum(input_tokens), 0) as input_tokens,"
            " coalesce(sum(output_tokens), 0) as output_tokens, coalesce(sum(cost_usd), 0) as cost_usd"
            " from ops.llm_calls where dag_id = ? and task_id = ? and run_id = ?",
            (run.dag_id, run.task_id, run.run_id),
        )[0]

    def close(self) -> None:
        """Forget the round, now that its answers are staged."""
        self.round.close()
