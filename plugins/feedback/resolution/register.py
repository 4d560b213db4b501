"""Names and entities while they are settled: every change of one is a decision, an event or both.

An id is minted once from the name that founded its entity. Nothing is renumbered: an entity that turns out
to be another's becomes a redirect, always of one step. Only people split: here, by giving a name an entry of
its own in the catalog.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.model import digest
from feedback.resolution.catalog import Catalog, Entry
from feedback.resolution.normalise import norm

Name = tuple[str, str]
"""Kind and norm."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """The rows that change, by table; all empty where nothing is new."""

    entity_names: list[Row]
    entities: list[Row]
    entity_decisions: list[Row]
    entity_events: list[Row]


def mint(kind: str, norm: str) -> str:
    """Return the id of the entity that a name founds."""
    return digest("entity", kind, norm)[:16]


def _founded_by(entry: Entry) -> str:
    return mint(entry.kind, norm(entry.name))


class Register:
    """Names and entities while they are settled, and what was decided on the way."""

    def __init__(
        self, names: Iterable[Row], entities: Iterable[Row], catalog: Catalog, run_id: str, now: datetime
    ) -> None:
        self.settled_names = {(row["kind"], row["norm"]): row for row in names}
        self.settled_entities = {row["entity_id"]: row for row in entities}
        self.names = {name: dict(row) for name, row in self.settled_names.items()}
        self.entities = {entity_id: dict(row) for entity_id, row in self.settled_entities.items()}
        self.known = {_founded_by(entry) for entry in catalog.entries}
        self.decisions: list[Row] = []
        self.events: list[Row] = []
        self.run_id = run_id
        self.now = now

    def establish(self, entry: Entry, name: Name) -> None:
        """See to the entity of a catalog entry that a name has reached: active, and as the entry describes it."""
        entity_id = _founded_by(entry)
        if entity_id not in self.entities:
            self._create(entity_id, name, entry.name)
        row = self.entities[entity_id]
        if row["merged_into"] is not None:
            self._note("split", entity_id, name, other=row["merged_into"])
            row.update(status="active", merged_into=None)
        self._rename(entity_id, entry.name, name)
        row["is_competitor"] = entry.is_competitor

    def link(self, name: Name, entry: Entry) -> None:
        """Make a name stand for the entity of its catalog entry, which is established."""
        root = _founded_by(entry)
        if name not in self.names:
            self._attach(name, root, "catalog", f"name or alias of {entry.name}")
            return
        current = self._current(self.names[name]["entity_id"])
        if current == root:
            return
        if current in self.known:  # the entity of another entry: the name moves, the entity stays
            self._attach(name, root, "catalog", f"moved to {entry.name}", left=current)
        else:
            decision_id = self._decide(name, root, "same", "catalog", f"name or alias of {entry.name}")
            self._merge(current, root, name, decision_id)

    def keep(self, name: Name, surface: str) -> None:
        """Make a name that the catalog does not know stand for the entity it founds."""
        entity_id = mint(*name)
        if name not in self.names and entity_id in self.entities:
            self._attach(name, entity_id, "rule", "founded it in an earlier run")
        elif name not in self.names:
            self._create(entity_id, name, surface)
            self._attach(name, entity_id, "rule", "no other name is like it", verdict="new")
        elif self.names[name]["entity_id"] == entity_id and self._current(entity_id) == entity_id:
            self._rename(entity_id, surface, name)

    def proposal(self) -> Proposal:
        """Return what differs from what was settled."""
        return Proposal(
            entity_names=[row for name, row in sorted(self.names.items()) if row != self.settled_names.get(name)],
            entities=[row for key, row in sorted(self.entities.items()) if row != self.settled_entities.get(key)],
            entity_decisions=self.decisions,
            entity_events=self.events,
        )

    def _current(self, entity_id: str) -> str:
        return self.entities[entity_id]["merged_into"] or entity_id

    def _create(self, entity_id: str, name: Name, surface: str) -> None:
        self.entities[entity_id] = {
            "entity_id": entity_id,
            "kind": name[0],
            "canonical_name": surface,
            "is_competitor": False,
            "status": "active",
            "merged_into": None,
            "created_at": self.now,
        }
        self._note("create", entity_id, name)

    def _rename(self, entity_id: str, surface: str, name: Name) -> None:
        if self.entities[entity_id]["canonical_name"] != surface:
            self.entities[entity_id]["canonical_name"] = surface
            self._note("rename", entity_id, name)

    def _attach(
        self, name: Name, entity_id: str, decided_by: str, evidence: str, verdict: str = "same", left: str | None = None
    ) -> None:
        decision_id = self._decide(name, None if verdict == "new" else entity_id, verdict, decided_by, evidence)
        self.names[name] = {
            **self.names.get(name, {"kind": name[0], "norm": name[1]}),
            "entity_id": entity_id,
            "score": None if verdict == "new" else 1.0,
            "decision_id": decision_id,
        }
        self._note("attach", entity_id, name, other=left, decision_id=decision_id)

    def _merge(self, loser: str, winner: str, name: Name, decision_id: str) -> None:
        for entity_id, row in self.entities.items():
            if loser in (entity_id, row["merged_into"]):
                row.update(status="merged", merged_into=winner)
        self._note("merge", loser, name, other=winner, decision_id=decision_id)

    def _decide(self, name: Name, candidate: str | None, verdict: str, decided_by: str, evidence: str) -> str:
        decision_id = digest("decision", *name, candidate, verdict, decided_by)[:16]
        self.decisions.append(
            {
                "decision_id": decision_id,
                "kind": name[0],
                "norm": name[1],
                "candidate": candidate,
                "verdict": verdict,
                "decided_by": decided_by,
                "score": None if verdict == "new" else 1.0,
                "evidence": evidence,
                "decided_at": self.now,
            }
        )
        return decision_id

    def _note(
        self, event: str, entity_id: str, name: Name, other: str | None = None, decision_id: str | None = None
    ) -> None:
        self.events.append(
            {
                "event_id": digest("event", self.run_id, event, entity_id, *name, other)[:16],
                "entity_id": entity_id,
                "event": event,
                "norm": name[1],
                "other_entity_id": other,
                "decision_id": decision_id,
                "created_at": self.now,
            }
        )
