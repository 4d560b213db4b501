"""Names that a person has to look at: cases of ``ops.cases``, each with its names.

``accepted`` says that they are one thing and links them for good; ``dropped`` leaves them as they are; ``re_asked``
has a model decide again what was decided about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from feedback.errors import InputRefused
from feedback.model import Run, digest, utc_now
from feedback.resolution.catalog import Catalog
from feedback.resolution.overrides import Override, refuse_contradictions
from feedback.warehouse.base import Step, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

SUBJECT = "names of "
NO_CATALOG = Catalog()
NAMES = "select kind, norm from ops.case_names where case_id = ? order by norm"
KNOWN = "select case_id from ops.cases where subject like ?"
SHARED = """
    select case_id, max(names) as names from (
        select d.case_id, n.case_id as known_id, count(*) as names from incoming.doubted as d
        join ops.case_names as n on n.kind = d.kind and n.norm = d.norm
        join ops.cases as c on c.case_id = n.case_id and c.rules = d.rule
        group by d.case_id, n.case_id
    ) as shared
    group by case_id
"""
"""Of each doubt how many of its names stand in one case of the same rule, at most."""


class Doubt(NamedTuple):
    """Names of a kind that are one thing, or are not: nothing of it happens until a person says so.

    :param rule: why a person is asked.
    """

    kind: str
    rule: str
    norms: frozenset[str]

    @property
    def case_id(self) -> str:
        return digest(self.rule, self.kind, *sorted(self.norms))[:16]


def open_cases(warehouse: Warehouse, doubts: Iterable[Doubt], run: Run) -> list[str]:
    """Open a case for each doubt that was never told before; return their ids.

    A group that has only grown is not told again: most of its names stand in a case, decided or not.
    """
    known = {row["case_id"] for row in warehouse.rows(KNOWN, (f"{SUBJECT}%",))}
    fresh = {doubt.case_id: doubt for doubt in doubts if doubt.case_id not in known}
    if fresh:
        shared = warehouse.arrow(SHARED, incoming={"doubted": _as_table(fresh)}).to_pylist()
        told = {row["case_id"] for row in shared if 2 * row["names"] > len(fresh[row["case_id"]].norms)}
        fresh = {case_id: doubt for case_id, doubt in fresh.items() if case_id not in told}
    if not fresh:
        return []
    now = utc_now()
    steps: list[Step] = [
        (
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) select ?, ?, ?, ?, 'open', ?",
            (case_id, SUBJECT + doubt.kind, run.run_id, doubt.rule, now),
        )
        for case_id, doubt in sorted(fresh.items())
    ]
    steps.append("insert into ops.case_names (case_id, kind, norm) select case_id, kind, norm from incoming.doubted")
    warehouse.transact(steps, {"doubted": _as_table(fresh)})
    return sorted(fresh)


def _as_table(doubts: Mapping[str, Doubt]) -> pa.Table:
    """Return the names of doubts, a row each."""
    import pyarrow as pa

    rows = [
        (case_id, doubt.rule, doubt.kind, norm)
        for case_id, doubt in sorted(doubts.items())
        for norm in sorted(doubt.norms)
    ]
    columns = zip(("case_id", "rule", "kind", "norm"), zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns})


def settle(
    warehouse: Warehouse,
    case: str,
    state: str,
    author: str,
    prompt_version: str | None = None,
    overrides: Sequence[Override] = (),
    catalog: Catalog = NO_CATALOG,
) -> None:
    """Write a person's decision about an open case of names.

    What is accepted becomes a ``must_link`` of each name with the first, which the next run follows.

    :param prompt_version: of the question as it is now; what it has decided is not re-asked.
    :param overrides: what people have said already, as ``catalog``.
    :raises InputRefused: the case has no names any more, because they were erased, or its names cannot be one by what
        people have said; it stays open.
    """
    names = warehouse.rows(NAMES, (case,))
    if len(names) < 2 and state == "accepted":
        raise InputRefused(f"{case} has no names any more: drop it")
    if state == "accepted":
        _refuse_impossible(case, names, author, overrides, catalog)
    now = utc_now()
    steps: list[Step] = [
        (
            "update ops.cases set state = ?, author = ?, decided_at = ?, prompt_version = ? where case_id = ?",
            (state, author, now, prompt_version if state == "re_asked" else None, case),
        )
    ]
    if state == "accepted":
        first = names[0]["norm"]
        steps += [
            (
                "insert into ops.entity_overrides (override_id, kind, norm, other_norm, verdict, author, created_at)"
                " select ?, ?, ?, ?, 'must_link', ?, ?",
                (digest(case, row["norm"])[:16], row["kind"], first, row["norm"], author, now),
            )
            for row in names[1:]
        ]
    warehouse.transact(steps)


def _refuse_impossible(
    case: str, names: Sequence[Mapping[str, Any]], author: str, overrides: Sequence[Override], catalog: Catalog
) -> None:
    """Refuse to make names one that people have said are not: no later run could follow that."""
    first, *others = names
    links = [
        Override(row["kind"], (first["norm"], row["norm"]), True, author, f"accepting case {case}") for row in others
    ]
    try:
        refuse_contradictions([*overrides, *links], catalog)
    except InputRefused as error:
        raise InputRefused(f"{case} stays open: {error}, or drop the case") from None
