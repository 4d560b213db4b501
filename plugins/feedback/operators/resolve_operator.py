"""The operator that settles which entity each name stands for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.model import Counts, Run, utc_now
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.resolution import catalog
from feedback.resolution.kind import EntityKind
from feedback.resolution.register import Name
from feedback.resolution.resolve import resolve
from feedback.warehouse.merge import stage

if TYPE_CHECKING:
    from airflow.sdk import Context

SPELLINGS = "select kind, norm, surface, count(*) as uses from feedback.mentions group by kind, norm, surface"
NAMES = "select kind, norm, entity_id, score, decision_id from feedback.entity_names"
ENTITIES = """
    select entity_id, kind, canonical_name, is_competitor, status, merged_into, created_at from feedback.entities
"""


class ResolveOperator(FeedbackOperator):
    """Stage names, entities, decisions and events for what is new in ``feedback.mentions`` or in the catalog.

    Stages no row where nothing is new. Decisions and events are staged too: they exist once they are published.

    :param kinds: which kinds of name are resolved; others are left alone.
    :param catalog: the file of names that people know.
    """

    def __init__(self, *, kinds: Sequence[EntityKind], catalog: Path, **kwargs: Any):
        super().__init__(**kwargs)
        self.kinds = kinds
        self.catalog = catalog

    def work(self, run: Run, context: Context) -> Counts:
        proposal = resolve(
            self._spellings(),
            self.warehouse.rows(NAMES),
            self.warehouse.rows(ENTITIES),
            catalog.read(self.catalog, self.kinds),
            run.run_id,
            utc_now(),
        )
        for table in fields(proposal):
            stage(self.warehouse, table.name, getattr(proposal, table.name), run)
        events = Counter(row["event"] for row in proposal.entity_events)
        return Counts({f"{event}_events": events[event] for event in ("create", "attach", "merge", "split", "rename")})

    def _spellings(self) -> dict[Name, dict[str, int]]:
        wanted = {kind.name for kind in self.kinds}
        spellings: dict[Name, dict[str, int]] = defaultdict(dict)
        for row in self.warehouse.rows(SPELLINGS):
            if row["kind"] in wanted:
                spellings[row["kind"], row["norm"]][row["surface"]] = row["uses"]
        return spellings
