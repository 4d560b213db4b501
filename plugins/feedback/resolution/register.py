"""Names and entities while they are settled: every change of one is a decision, an event or both.

An id is minted once from the name that founded its entity. Nothing is renumbered: an entity that turns out
to be another's becomes a redirect, always of one step. Only people split: by an entry of its own in the catalog,
by an override that keeps two names apart, or by having decided names judged again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.model import digest
from feedback.resolution.catalog import Catalog, Entry
from feedback.resolution.evidence import Evidence
from feedback.resolution.normalise import norm
from feedback.resolution.parting import parted

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


def founded_by(entry: Entry) -> str:
    """Return the id of the entity of a catalog entry."""
    return mint(entry.kind, norm(entry.name))


class Register:
    """Names and entities while they are settled, and what was decided on the way."""

    def __init__(
        self, names: Iterable[Row], entities: Iterable[Row], catalog: Catalog, run_id: str, now: datetime
    ) -> None:
        self.settled_names = {(row["kind"], row["norm"]): row for row in names}
        self.settled_entities = {row["entity_id"]: row for row in entities}
        self.names = dict(self.settled_names)
        self.entities = dict(self.settled_entities)
        self.by_founder = {founded_by(entry): entry for entry in catalog.entries}
        self._attached: dict[str, set[Name]] = defaultdict(set)
        """Of each entity the names that were attached to it, be it a redirect by now or not."""
        self._redirects: dict[str, set[str]] = defaultdict(set)
        """Of each entity those that have become it."""
        for name, row in self.names.items():
            self._attached[row["entity_id"]].add(name)
        for entity_id, row in self.entities.items():
            if row["merged_into"]:
                self._redirects[row["merged_into"]].add(entity_id)
        self.catalog = catalog
        self.decisions: list[Row] = []
        self._noted: set[str] = set()
        self.events: list[Row] = []
        self.run_id = run_id
        self.now = now

    def establish(self, entry: Entry, name: Name) -> None:
        """See to the entity of a catalog entry that a name has reached: active, and as the entry describes it."""
        entity_id = founded_by(entry)
        if entity_id not in self.entities:
            self._create(entity_id, name, entry.name)
        row = self.entities[entity_id]
        if row["merged_into"] is not None:
            self._note("split", entity_id, name, other=row["merged_into"])
            self._redirect(entity_id, None)
        self._rename(entity_id, entry.name, name)
        self._describe(entity_id, is_competitor=entry.is_competitor)

    def reached(self, entity_id: str, name: Name) -> str:
        """Return the entity that one is now; one of the catalog that no name had reached yet is established."""
        if entity_id not in self.entities:
            self.establish(self.by_founder[entity_id], name)
        return self.current(entity_id)

    def link(self, name: Name, entry: Entry) -> None:
        """Make a name stand for the entity of its catalog entry, which is established."""
        root = founded_by(entry)
        if name not in self.names:
            self._attach(name, root, "catalog", f"name or alias of {entry.name}")
            return
        current = self.current(self.names[name]["entity_id"])
        if current == root:
            return
        if current in self.by_founder:  # the entity of another entry: the name moves, the entity stays
            self._attach(name, root, "catalog", f"moved to {entry.name}", left=current)
        else:
            why = Evidence("catalog", f"name or alias of {entry.name}")
            decision_id = self.decide(name, root, "same", why)
            self._merge(current, root, name, decision_id)

    def keep(self, name: Name, surface: str) -> None:
        """Make a name that the catalog does not know stand for the entity it founds."""
        entity_id = mint(*name)
        if name not in self.names and entity_id in self.entities:
            self._attach(name, entity_id, "rule", "founded it in an earlier run")
        elif name not in self.names:
            self._create(entity_id, name, surface)
            self._attach(name, entity_id, "rule", "no other name is like it", verdict="new")
        elif self.names[name]["entity_id"] == entity_id and self.current(entity_id) == entity_id:
            self._rename(entity_id, surface, name)

    def unite(self, one: Name, other: Name, evidence: Evidence) -> None:
        """Make two names one, as a person says; a name that is not settled yet goes to the other's entity."""
        if one not in self.names:
            one, other = other, one
        root = self.current_of(one)
        if other not in self.names:
            self.place(other, root, self.decide(other, one[1], "same", evidence), evidence.score)
        elif self.current_of(other) != root:
            self.merge(self.current_of(other), root, other, self.decide(other, one[1], "same", evidence))

    def members(self, entity_id: str) -> list[Name]:
        """Return the names that stand for an entity now."""
        return sorted(self._members(entity_id))

    def part(
        self,
        one: Name,
        other: Name,
        evidence: Evidence,
        surfaces: Mapping[Name, str],
        with_one: frozenset[str] | None = None,
    ) -> None:
        """Split the entity that two names share; most of its names keep the id.

        :param surfaces: how the two are written.
        :param with_one: the names on the side of ``one``; where None, those that are more like it.
        """
        entity_id = self.current_of(one)
        if self.current_of(other) != entity_id:
            return
        members = self.members(entity_id)
        sides = parted([name[1] for name in members], one[1], other[1])
        if with_one is not None:
            sides = with_one, frozenset(name[1] for name in members) - with_one
        moving = min(sides, key=lambda side: self._claim(entity_id, one[0], side))
        seed = next(name for name in (other, one) if name[1] in moving)
        decision_id = self.decide(seed, (one if seed == other else other)[1], "different", evidence)
        new_id = self._split_off(entity_id, seed, moving, surfaces[seed])
        self._note("split", new_id, seed, other=entity_id, decision_id=decision_id)
        for name in members:
            root = new_id if name[1] in moving else entity_id
            if self.current_of(name) != root:
                self.place(name, root, decision_id, evidence.score, left=entity_id)

    def winner(self, entity_ids: Iterable[str]) -> str:
        """Return which of some entities the others become: the catalog's, else that of most names, else the oldest."""
        return min(
            entity_ids,
            key=lambda found: (
                found not in self.by_founder,
                -len(self._members(found)),
                self.entities[found]["created_at"],
                found,
            ),
        )

    def current_of(self, name: Name) -> str:
        """Return the entity that a settled name stands for now."""
        return self.current(self.names[name]["entity_id"])

    def proposal(self) -> Proposal:
        """Return what differs from what was settled."""
        return Proposal(
            entity_names=_changed(self.names, self.settled_names),
            entities=_changed(self.entities, self.settled_entities),
            entity_decisions=self.decisions,
            entity_events=self.events,
        )

    def current(self, entity_id: str) -> str:
        """Return the entity that one has become."""
        return self.entities[entity_id]["merged_into"] or entity_id

    def _members(self, entity_id: str) -> list[Name]:
        """Return the names that stand for an entity now."""
        if self.current(entity_id) != entity_id:
            return []
        return [name for each in (entity_id, *self._redirects[entity_id]) for name in self._attached[each]]

    def _redirect(self, entity_id: str, to: str | None) -> None:
        """Make an entity a redirect to another one, or one of its own again."""
        row = self.entities[entity_id]
        if row["merged_into"]:
            self._redirects[row["merged_into"]].discard(entity_id)
        if to:
            self._redirects[to].add(entity_id)
        self._describe(entity_id, status="merged" if to else "active", merged_into=to)

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

    def _describe(self, entity_id: str, **values: Any) -> None:
        """Change what is said of an entity, in a row of its own: settled ones are what a proposal is compared with."""
        self.entities[entity_id] = self.entities[entity_id] | values

    def _rename(self, entity_id: str, surface: str, name: Name) -> None:
        if self.entities[entity_id]["canonical_name"] != surface:
            self._describe(entity_id, canonical_name=surface)
            self._note("rename", entity_id, name)

    def _attach(
        self, name: Name, entity_id: str, decided_by: str, evidence: str, verdict: str = "same", left: str | None = None
    ) -> None:
        why = Evidence(decided_by, evidence, score=None if verdict == "new" else 1.0)
        decision_id = self.decide(name, None if verdict == "new" else entity_id, verdict, why)
        self.place(name, entity_id, decision_id, why.score, left)

    def place(self, name: Name, entity_id: str, decision_id: str, score: float | None, left: str | None = None) -> None:
        """Make a name stand for an entity because of a decision."""
        before = self.names.get(name, {"kind": name[0], "norm": name[1]})
        self._attached[before.get("entity_id", entity_id)].discard(name)
        self._attached[entity_id].add(name)
        self.names[name] = {
            **before,
            "entity_id": entity_id,
            "score": score,
            "decision_id": decision_id,
        }
        self._note("attach", entity_id, name, other=left, decision_id=decision_id)

    def merge(self, one: str, other: str, name: Name, decision_id: str) -> None:
        """Make one of two entities a redirect to the other; see ``winner``."""
        winner = self.winner((one, other))
        self._merge(other if winner == one else one, winner, name, decision_id)

    def _merge(self, loser: str, winner: str, name: Name, decision_id: str) -> None:
        for entity_id in (loser, *sorted(self._redirects[loser])):
            self._redirect(entity_id, winner)
        self._note("merge", loser, name, other=winner, decision_id=decision_id)

    def _claim(self, entity_id: str, kind: str, side: Iterable[str]) -> tuple[object, ...]:
        """Return how good a claim some of the names of an entity have on its id, to be compared."""
        names = [(kind, norm) for norm in side]
        is_known = any(self.catalog.find(*name) for name in names)
        return is_known, len(names), entity_id in {mint(*name) for name in names}, min(names)

    def _split_off(self, entity_id: str, seed: Name, norms: Iterable[str], surface: str) -> str:
        """Return an entity for names that leave theirs: one that was theirs before a merge, else a new one."""
        minted = [mint(seed[0], each) for each in sorted(norms, key=lambda each: (each != seed[1], each))]
        minted.append(mint(seed[0], f"{entity_id} {seed[1]}"))
        while minted[-1] in self.entities:
            minted.append(mint(seed[0], minted[-1]))
        for found in minted:
            if found in self.entities and self.entities[found]["merged_into"] == entity_id:
                self._redirect(found, None)
                return found
        new_id = next(found for found in minted if found not in self.entities)
        self._create(new_id, seed, surface)
        return new_id

    def decide(self, name: Name, candidate: str | None, verdict: str, evidence: Evidence) -> str:
        """Note a decision, once, and return its id.

        :param candidate: the name or entity that it was compared with.
        """
        decision_id = digest("decision", *name, candidate, verdict, evidence.decided_by)[:16]
        if decision_id in self._noted:
            return decision_id
        self._noted.add(decision_id)
        self.decisions.append(
            {
                "decision_id": decision_id,
                "kind": name[0],
                "norm": name[1],
                "candidate": candidate,
                "verdict": verdict,
                **vars(evidence),
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


def _changed(rows: Mapping[Any, Row], settled: Mapping[Any, Row]) -> list[Row]:
    """Return the rows that are other than what was settled, in the order of their keys."""
    return [rows[key] for key in sorted(key for key, row in rows.items() if row != settled.get(key))]
