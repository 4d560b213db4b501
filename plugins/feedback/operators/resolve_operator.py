"""The operator that settles which entity each name stands for."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.hooks.model_endpoint import model_endpoint
from feedback.llm.answering import answering
from feedback.llm.asking import Asking
from feedback.llm.cascade import Models
from feedback.llm.checks import PackChecks
from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import Ledger
from feedback.llm.pack import Row
from feedback.llm.plan import of_rows
from feedback.llm.questions import Registry
from feedback.llm.recovery import recover
from feedback.llm.results import Results
from feedback.llm.service import Endpoint
from feedback.llm.session import Session
from feedback.model import Counts, Run, utc_now
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.resolution import cases, judging
from feedback.resolution.adjudicate import Adjudicator
from feedback.resolution.kind import EntityKind
from feedback.resolution.naming import Asker, naming, nobody
from feedback.warehouse.merge import stage

if TYPE_CHECKING:
    from airflow.sdk import Context

    from feedback.resolution.catalog import Catalog
    from feedback.warehouse.base import Warehouse

EVENTS = ("create", "attach", "merge", "split", "rename")


@dataclass
class _Asked:
    """What was asked about names in a run, and what was left."""

    calls: int = 0
    left: list[Row] = field(default_factory=list)
    why: str = ""
    how: tuple[Enrichment, Models, Asking] | None = None

    def note(
        self, rows: Sequence[Row], results: Results, ledger: Ledger, match: Enrichment, models: Models, asking: Asking
    ) -> None:
        self.calls += ledger.calls
        self.left += results.open_rows(rows)
        self.why = results.stopped or self.why
        self.how = match, models, asking

    def notes(self, warehouse: Warehouse, run: Run, names: int) -> list[str]:
        """Say what waits, why, and what it would cost."""
        if not self.left or self.how is None:
            return []
        match, models, asking = self.how
        checks = PackChecks(warehouse, Registry([match]), models.small, run, asking.pack)
        rest_usd = of_rows(checks, self.left, asking.mode).usd
        what = f"{names} names wait" if names else f"{len(self.left)} questions wait to be judged again"
        return [f"{what} ({self.why or 'service'}); asking about them would cost about ${rest_usd:.4f}"]


class ResolveOperator(FeedbackOperator):
    """Stage names, entities, decisions and events for what is new in the mentions, the catalog or the overrides.

    Stages no row where nothing is new. Decisions and events are staged too: they exist once they are published.
    Names whose question waits, because a budget is reached or the service is away, stay open until the next run.
    What only a person can tell, names that hang together and are too many to be one, becomes a case of ``ops.cases``.
    Where a person has asked for it, what the offline model or an earlier prompt has decided is judged again.

    :param kinds: which kinds of name are resolved; others are left alone.
    :param catalog: the file of names that people know; ``overrides``: of what they decided about two names.
    :param match: the question about names that letters leave open; without it letters alone decide.
    :param asking: models, limits and budgets. ``conn_id``: connection of type ``openai``.
    """

    template_fields: Sequence[str] = ("conn_id",)

    def __init__(
        self,
        *,
        kinds: Sequence[EntityKind],
        catalog: Path,
        overrides: Path | None = None,
        match: Enrichment | None = None,
        asking: Asking | None = None,
        conn_id: str = "openai_default",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kinds = kinds
        self.catalog = catalog
        self.overrides = overrides
        self.match = match
        self.asking = asking
        self.conn_id = conn_id

    def work(self, run: Run, context: Context) -> Counts:
        names = naming(self.warehouse, self.kinds, self.catalog, self.overrides)
        asked = _Asked()
        with contextlib.ExitStack() as stack:
            asker = self._asker(run, names.catalog, asked, stack)
            proposal = names.proposal(asker, run.run_id, utc_now(), self._judging())
        for table in fields(proposal):
            stage(self.warehouse, table.name, getattr(proposal, table.name), run)
        opened = cases.open_cases(self.warehouse, names.doubts, run)
        events = Counter(row["event"] for row in proposal.entity_events)
        numbers: dict[str, int | float] = {f"{event}_events": events[event] for event in EVENTS}
        numbers |= {"asked": names.asked, "calls": asked.calls, "waiting": names.waiting, "cases": len(opened)}
        return Counts(numbers, notes=(*names.notes, *asked.notes(self.warehouse, run, names.waiting)))

    def _judging(self) -> str | None:
        """Return the version of the question where decisions are to be judged again, by a real model only."""
        if self.match is None or self.asking is None or not judging.is_requested(self.warehouse):
            return None
        endpoint = model_endpoint(self.conn_id, self.warehouse.engine, self.asking)
        return self.match.prompt_version if endpoint else None

    def _asker(self, run: Run, known: Catalog, asked: _Asked, stack: contextlib.ExitStack) -> Asker:
        """Return who is asked; the service is entered when there is a first question."""
        if self.match is None or self.asking is None:
            return nobody
        # Questions about names are few and decide each other: a batch would make them wait a day for nothing.
        asking = replace(self.asking, mode="online") if self.asking.mode == "batch" else self.asking
        match = self.match
        entered: list[tuple[Endpoint, Models]] = []

        def ask(rows: Sequence[Row]) -> Results:
            if not entered:
                if asking.journal:
                    recover(self.warehouse, run, asking.journal)
                endpoint = model_endpoint(self.conn_id, self.warehouse.engine, asking)
                entered.append(stack.enter_context(answering(endpoint, asking, known.names)))
            address, models = entered[0]
            mode = "offline" if models.is_offline else asking.mode
            ledger = Ledger(self.warehouse, run, mode, asking.journal, "resolve")
            self.log.info("questions about names: %s, answered by %s", len(rows), models.title)
            results = Session(ledger, [match], asking, address, models, self.log.info).ask(rows)
            asked.note(rows, results, ledger, match, models, asking)
            return results

        return lambda kind, shown: Adjudicator(match, ask, kind, shown)
