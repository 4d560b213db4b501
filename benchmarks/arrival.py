"""A house that takes names in batch by batch, as resolve_entities does, with an oracle for a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from feedback.model import Run, utc_now
from feedback.resolution.catalog import Catalog
from feedback.resolution.match import Ask
from feedback.resolution.naming import Naming
from feedback.resolution.normalise import mention_id, norm
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import append, upsert

KEYS = {
    "entity_names": ("feedback.entity_names", ("kind", "norm")),
    "entities": ("feedback.entities", ("entity_id",)),
    "entity_decisions": ("ops.entity_decisions", ("decision_id",)),
    "entity_events": ("ops.entity_events", ("event_id",)),
}
CURRENT = """
    select n.norm, coalesce(e.merged_into, e.entity_id) as entity_id from feedback.entity_names as n
    join feedback.entities as e on e.entity_id = n.entity_id
"""


def mentions(names: Sequence[str], start: int = 0) -> list[Mapping[str, object]]:
    """Return rows of ``feedback.mentions``, a name an item."""
    shared: dict[str, object] = dict.fromkeys(
        ("content_hash", "prompt_version", "decided_by", "run_id", "engine_version"), "x"
    )
    shared |= {"is_stale": False, "answered_at": utc_now(), "kind": "company"}
    rows: list[Mapping[str, object]] = []
    for number, name in enumerate(names, start):
        compared = norm(name)
        key = mention_id(str(number), "company", compared)
        rows.append(shared | {"item_id": str(number), "mention_id": key, "surface": name, "norm": compared})
    return rows


class House:
    """A warehouse and the runs over it.

    :param ask: who answers.
    """

    def __init__(self, warehouse: Warehouse, ask: Ask):
        self.warehouse, self.ask = warehouse, ask
        self.runs = self.met = 0

    def take(self, names: Sequence[str]) -> set[str]:
        """Take names in; return the entities that became another's."""
        append(self.warehouse, "feedback.mentions", mentions(names, self.met))
        self.met += len(names)
        self.resolve()
        merged = self.warehouse.rows("select entity_id from ops.entity_events where event = 'merge'")
        return {row["entity_id"] for row in merged}

    def resolve(self) -> int:
        """Resolve and publish once; return how many rows that changed."""
        self.runs += 1
        run = Run(f"run_{self.runs}", "bench", "resolve")
        naming = Naming(self.warehouse, ["company"], Catalog(), [])
        proposal = naming.proposal(lambda kind, shown: self.ask, run.run_id, utc_now())
        changed = 0
        for table in fields(proposal):
            rows = [row | {"run_id": run.run_id} for row in getattr(proposal, table.name)]
            upsert(self.warehouse, *KEYS[table.name][:1], rows, KEYS[table.name][1])
            changed += len(rows)
        return changed

    def entities(self) -> dict[str, str]:
        """Return each name with the entity it stands for now."""
        return {row["norm"]: row["entity_id"] for row in self.warehouse.rows(CURRENT)}
