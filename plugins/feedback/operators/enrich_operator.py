"""Asks models what is owed, and stages what they answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import FeedbackError
from feedback.hooks.model_endpoint import model_endpoint
from feedback.llm.answering import answering
from feedback.llm.asking import Asking
from feedback.llm.batch_out import are_out
from feedback.llm.batch_session import BatchSession
from feedback.llm.batch_store import BatchStore
from feedback.llm.cascade import Models
from feedback.llm.checks import PackChecks
from feedback.llm.enrichment import Enrichment
from feedback.llm.golden_asked import ask_golden, golden_ledger, owed_golden
from feedback.llm.ledger import Ledger
from feedback.llm.owed import Shard, mark_unasked, read, rows_of, write_down
from feedback.llm.plan import pending
from feedback.llm.recovery import recover
from feedback.llm.service import Endpoint
from feedback.llm.session import Outcome, Session, models_of
from feedback.llm.staged import Staging
from feedback.model import Counts, Run
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.operators.report_link import ReportLink
from feedback.triggers.batch_trigger import BatchTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from feedback.resolution.kind import EntityKind

Numbers = dict[str, int | float]
NOTHING: Numbers = dict.fromkeys(
    (
        *("owed", "unasked", "asked", "from_ledger", "by_rule", "staged", "quarantined", "pending"),
        *(
            "calls",
            "check_calls",
            "golden_calls",
            "input_tokens",
            "output_tokens",
            "cost_usd",
            "pending_usd",
            "seconds",
        ),
    ),
    0,
)


class EnrichOperator(FeedbackOperator):
    """Ask every question that is owed, once, inside the budget; stage the answers and an account of each question.

    Before them golden items are asked that this prompt and model have not answered yet, so that the gate can tell.
    Without a connection the built-in offline model answers, on DuckDB only, and never in place of a real
    answer. What was paid is kept whatever happens. With nothing owed nothing is asked, staged or imported.

    :param enrichments: the questions.
    :param asking: models, limits and budgets.
    :param conn_id: connection of type ``openai``; its host may be any OpenAI-compatible service.
    :param catalog: file of known names, for the offline model; ``kinds``: the kinds of entity it may name.
    """

    template_fields: Sequence[str] = ("conn_id",)
    operator_extra_links = (ReportLink(),)

    def __init__(
        self,
        *,
        enrichments: Sequence[Enrichment],
        asking: Asking,
        conn_id: str = "openai_default",
        catalog: Path | None = None,
        kinds: Sequence[EntityKind] = (),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.enrichments = enrichments
        self.asking = asking
        self.conn_id = conn_id
        self.catalog = catalog
        self.kinds = kinds

    def work(self, run: Run, context: Context) -> Counts:
        started = time.monotonic()
        endpoint = model_endpoint(self.conn_id, self.warehouse.engine, self.asking)
        if self.asking.journal and (saved := recover(self.warehouse, run, self.asking.journal)):
            self.log.info("answers that a killed task had paid for: %s", saved)
        unasked = mark_unasked(self.warehouse, self.enrichments, run)
        questions = write_down(
            self.warehouse, self.enrichments, run, is_offline=endpoint is None, as_of=self.asking.as_of
        )
        if endpoint and (are_out(self.warehouse) or (questions and self.asking.mode == "batch")):
            numbers, notes = self._ask_in_batches(questions, endpoint, run)
        else:
            numbers, notes = self._ask(questions, endpoint, run) if questions else ({}, ())
        numbers |= {"unasked": unasked, "seconds": round(time.monotonic() - started, 1)}
        return Counts(NOTHING | numbers, notes)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, Any]:
        """Go on where a batch was waited for. Nothing is taken over but what the warehouse and the service say."""
        return self.execute(context)

    def _ask(self, questions: int, endpoint: Endpoint | None, run: Run) -> tuple[Numbers, tuple[str, ...]]:
        with answering(endpoint, self.asking, self._known_names() if endpoint is None else ()) as (address, models):
            mode = "offline" if models.is_offline else self.asking.mode
            ledger = Ledger(self.warehouse, run, mode, self.asking.journal)
            self.log.info("questions to ask: %s, answered by %s", questions, models.title)
            session = Session(ledger, self.enrichments, self.asking, address, models, self.log.info)
            golden, notes = self._ask_golden(address, models, run)
            outcome = session.ask_owed()
        usage, cost_usd = ledger.usage, ledger.cost_usd
        if golden:
            usage, cost_usd = usage + golden.usage, cost_usd + golden.cost_usd
        paid: Numbers = {
            "calls": ledger.calls_for["enrich"],
            "check_calls": ledger.calls_for["check"],
            "golden_calls": golden.calls if golden else 0,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost_usd": cost_usd,
        }
        return self._told(questions, outcome, models, session.checks, paid, notes)

    def _ask_in_batches(self, questions: int, endpoint: Endpoint, run: Run) -> tuple[Numbers, tuple[str, ...]]:
        """Defer as long as a batch is out, and stage what has landed.

        Golden items are asked while nothing is out: a batch may hold the same questions.
        """
        models, was_out = models_of(self.asking, endpoint), are_out(self.warehouse)
        notes: tuple[str, ...] = ()
        if questions and not was_out:
            _, notes = self._ask_golden(endpoint, models, run)
        everything = Shard()
        items = read(self.warehouse, self.enrichments, everything, run)
        rows = rows_of(items)
        session = BatchSession(
            BatchStore(self.warehouse, run), self.enrichments, self.asking, endpoint, models, self.log.info
        )
        if out := session.advance(rows):
            self.defer(
                trigger=BatchTrigger(
                    conn_id=self.conn_id,
                    batch_ids=out.batch_ids,
                    until=out.until.isoformat(),
                    allow_http=self.asking.allow_http,
                ),
                method_name="execute_complete",
            )
        if questions and was_out and not are_out(self.warehouse):
            _, notes = self._ask_golden(endpoint, models, run)
        results = session.results(rows)
        staging = Staging(self.warehouse, self.enrichments, run)
        staging.add(items, results, everything)
        staging.write()
        outcome = Outcome(staging.counts, results.stopped or next(iter(results.waiting.values()), ""))
        told = self._told(questions, outcome, models, session.checks, session.paid(), notes)
        session.close()
        return told

    def _ask_golden(self, endpoint: Endpoint, models: Models, run: Run) -> tuple[Ledger | None, tuple[str, ...]]:
        """Ask golden items and return what was paid; what stands in the way holds back nothing that is owed."""
        ledger = None
        try:
            items = owed_golden(self.warehouse, self.enrichments, self.asking, models)
            if not items:
                return None, ()
            ledger = golden_ledger(self.warehouse, run, self.asking, models)
            stopped = ask_golden(items, ledger, self.enrichments, self.asking, endpoint, models, self.log.info)
        except FeedbackError as error:
            self.log.warning("golden items were not asked: %s", error)
            return ledger, (f"golden items were not asked: {error}",)
        return ledger, (f"not all golden items were asked ({stopped})",) if stopped else ()

    def _told(
        self,
        questions: int,
        outcome: Outcome,
        models: Models,
        checks: PackChecks,
        paid: Numbers,
        notes: tuple[str, ...],
    ) -> tuple[Numbers, tuple[str, ...]]:
        counts = outcome.counts
        rest_usd = pending(self.warehouse, checks, self.asking.mode).usd if counts["pending"] else 0.0
        numbers: Numbers = {
            "owed": questions,
            "asked": questions - counts["from_ledger"] - counts["by_rule"],
            **counts,
            **paid,
            "cost_usd": round(paid["cost_usd"], 6),
            "pending_usd": round(rest_usd, 6),
        }
        waits = f"{counts['pending']} questions are pending ({outcome.stopped or 'service'})"
        pends = (f"{waits}; asking them would cost about ${rest_usd:.4f}",) if counts["pending"] else ()
        return numbers, (f"answered by {models.title}", *pends, *notes)

    def _known_names(self) -> list[tuple[str, str]]:
        if self.catalog is None:
            return []
        from feedback.resolution import catalog

        return catalog.read(self.catalog, self.kinds).names
