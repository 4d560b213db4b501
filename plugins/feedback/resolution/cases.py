"""Names that a person has to look at: cases of ``ops.cases``, each with its names.

``accepted`` says that they are one thing and links them for good; ``dropped`` leaves them as they are; ``re_asked``
has a model decide again what was decided about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedback.errors import InputRefused
from feedback.model import Run, digest, utc_now
from feedback.warehouse.base import Step, Warehouse

SUBJECT = "names of "
NAMES = "select kind, norm from ops.case_names where case_id = ? order by norm"
KNOWN = "select case_id from ops.cases where subject like ?"


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
    """Open a case for each doubt that was never told before; return their ids."""
    known = {row["case_id"] for row in warehouse.rows(KNOWN, (f"{SUBJECT}%",))}
    fresh = {doubt.case_id: doubt for doubt in doubts if doubt.case_id not in known}
    steps: list[Step] = []
    for case_id, doubt in sorted(fresh.items()):
        case = (case_id, SUBJECT + doubt.kind, run.run_id, doubt.rule, utc_now())
        steps.append(
            (
                "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at)"
                " select ?, ?, ?, ?, 'open', ?",
                case,
            )
        )
        steps += [
            ("insert into ops.case_names select ?, ?, ?", (case_id, doubt.kind, norm)) for norm in sorted(doubt.norms)
        ]
    if steps:
        warehouse.transact(steps)
    return sorted(fresh)


def settle(warehouse: Warehouse, case: str, state: str, author: str, prompt_version: str | None = None) -> None:
    """Write a person's decision about an open case of names.

    What is accepted becomes a ``must_link`` of each name with the first, which the next run follows.

    :param prompt_version: of the question as it is now; what it has decided is not re-asked.
    :raises InputRefused: the case has no names any more, because they were erased.
    """
    names = warehouse.rows(NAMES, (case,))
    if len(names) < 2 and state == "accepted":
        raise InputRefused(f"{case} has no names any more: drop it")
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
