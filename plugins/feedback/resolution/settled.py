"""What is settled, read from the warehouse: only as much of it as the new names may touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedback.resolution.adjudicate import Shown
from feedback.resolution.normalise import commonest
from feedback.resolution.register import Name, Row, mint
from feedback.resolution.score import Decided, ordered
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

SPELLINGS = """
    select m.kind, m.norm, m.surface, count(*) as uses, min(m.quote) as quote
    from feedback.mentions as m
    join incoming.wanted as w on w.kind = m.kind and w.norm = m.norm
    group by m.kind, m.norm, m.surface
"""
NEW = """
    select distinct m.kind, m.norm from feedback.mentions as m
    left join feedback.entity_names as n on n.kind = m.kind and n.norm = m.norm
    where n.norm is null and m.norm <> ''
    order by m.kind, m.norm
"""
FOUNDERS = """
    with written as (select kind, norm, surface, count(*) as uses from feedback.mentions group by kind, norm, surface)
    select distinct other.kind, other.norm from written as other
    join feedback.entity_names as n on n.kind = other.kind and n.norm = other.norm
    join feedback.entities as e on e.entity_id = n.entity_id and e.canonical_name <> other.surface
    left join written as own on own.kind = other.kind and own.norm = other.norm and own.surface = e.canonical_name
    where n.score is null and e.merged_into is null
        and (coalesce(own.uses, 0) < other.uses or (own.uses = other.uses and other.surface < e.canonical_name))
"""
"""Names that founded their entity and are written otherwise by most people now."""

TOUCHED = """
    select distinct coalesce(e.merged_into, e.entity_id) as entity_id from feedback.entities as e
    where e.entity_id in (
        select entity_id from incoming.wanted_ids
        union all
        select n.entity_id from feedback.entity_names as n
        join incoming.wanted as w on w.kind = n.kind and w.norm = n.norm
    )
"""
ENTITIES = """
    select entity_id, kind, canonical_name, is_competitor, status, merged_into, created_at from feedback.entities
    where entity_id in (select entity_id from incoming.touched)
        or merged_into in (select entity_id from incoming.touched)
"""
NAMES = """
    select kind, norm, entity_id, score, decision_id from feedback.entity_names
    where entity_id in (select entity_id from incoming.entities)
"""
DECIDED = """
    select norm, candidate, verdict, decided_by, score from ops.entity_decisions
    where kind = ? and decided_by in ('llm', 'human') and candidate is not null
    qualify row_number() over (order by decided_at desc, decision_id) <= 20000
"""
OVERRIDES = "select override_id, kind, norm, other_norm, verdict, author from ops.entity_overrides order by override_id"


@dataclass(frozen=True)
class Settled:
    """Names and entities that may be touched."""

    names: list[Row]
    entities: list[Row]

    def owners(self, kind: str) -> dict[str, str]:
        """Return of each settled name of a kind the entity that it stands for now."""
        current = {row["entity_id"]: row["merged_into"] or row["entity_id"] for row in self.entities}
        return {row["norm"]: current[row["entity_id"]] for row in self.names if row["kind"] == kind}


@dataclass(frozen=True)
class Written:
    """How names are written: how often in which way, and a passage around each."""

    spellings: dict[Name, dict[str, int]]
    quotes: dict[Name, str]


def new_names(warehouse: Warehouse, kinds: Iterable[str]) -> list[Name]:
    """Return the names of these kinds that were met and stand for nothing yet."""
    return _found(warehouse, NEW, kinds)


def renamed(warehouse: Warehouse, kinds: Iterable[str]) -> list[Name]:
    """Return the names of these kinds whose entity is called otherwise than most people write it now."""
    return _found(warehouse, FOUNDERS, kinds)


def _found(warehouse: Warehouse, sql: str, kinds: Iterable[str]) -> list[Name]:
    wanted = set(kinds)
    return [(row["kind"], row["norm"]) for row in warehouse.rows(sql) if row["kind"] in wanted]


def written(warehouse: Warehouse, names: Sequence[Name]) -> Written:
    """Return how these names are written."""
    spellings: dict[Name, dict[str, int]] = defaultdict(dict)
    quotes: dict[Name, str] = {}
    found = warehouse.arrow(SPELLINGS, incoming={"wanted": as_table(names)}).to_pylist() if names else []
    for row in sorted(found, key=lambda row: (row["kind"], row["norm"], row["surface"])):
        name = (row["kind"], row["norm"])
        spellings[name][row["surface"]] = row["uses"]
        if row["quote"]:
            quotes.setdefault(name, row["quote"])
    return Written(spellings, quotes)


def settled(warehouse: Warehouse, names: Sequence[Name], candidates: Iterable[Name] = ()) -> Settled:
    """Return the entities that these names stand for or would found, with all their names and redirects.

    :param candidates: further names that stand for entities.
    """
    import pyarrow as pa

    ids = pa.table({"entity_id": pa.array(sorted({mint(*name) for name in names}), pa.string())})
    wanted = {"wanted": as_table([*names, *candidates]), "wanted_ids": ids, "touched": (TOUCHED, ())}
    entities = warehouse.arrow(ENTITIES, incoming=wanted)
    found = warehouse.arrow(NAMES, incoming={"entities": entities.select(["entity_id"])})
    return Settled(found.to_pylist(), entities.to_pylist())


def decided(warehouse: Warehouse, kind: str) -> list[Decided]:
    """Return the pairs of names of a kind that models or people have decided, the latest ones; people's count."""
    found: dict[tuple[str, str], Decided] = {}
    for row in warehouse.rows(DECIDED, (kind,)):
        by_human = row["decided_by"] == "human"
        pair = ordered(row["norm"], row["candidate"])
        if by_human or pair not in found:
            is_same = row["verdict"] == "same"
            found[pair] = Decided(pair, float(is_same) if by_human else float(row["score"]), by_human)
    return list(found.values())


def shown(kind: str, seen: Written, there: Settled) -> dict[str, Shown]:
    """Return how each name is shown to who decides: a settled one as its entity, with its other names."""
    by_id = {row["entity_id"]: row for row in there.entities}
    owners = there.owners(kind)
    names: dict[str, list[str]] = defaultdict(list)
    for norm, entity_id in sorted(owners.items()):
        names[entity_id].append(norm)
    found = {
        norm: Shown(by_id[entity_id]["canonical_name"], tuple(names[entity_id][:MOST_ALSO]))
        for norm, entity_id in owners.items()
    }
    for (of_kind, norm), surfaces in seen.spellings.items():
        if of_kind == kind and norm not in found:
            found[norm] = Shown(commonest(surfaces), quote=seen.quotes.get((kind, norm)))
    return found


MOST_ALSO = 4
"""Names of an entity that are shown beside the one it goes by."""


def as_table(names: Sequence[Name]) -> pa.Table:
    """Return names as rows of ``kind`` and ``norm``."""
    import pyarrow as pa

    unique = sorted(set(names))
    return pa.table(
        {
            "kind": pa.array([kind for kind, _ in unique], pa.string()),
            "norm": pa.array([norm for _, norm in unique], pa.string()),
        }
    )
