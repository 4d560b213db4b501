"""Which runs a report speaks of, and how far what they read has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import RAW

RUNS = """
    select dag_id, run_id, min(started_at) as started_at, max(finished_at) as finished_at,
        sum(case when outcome in ('failed', 'incomplete') then 1 else 0 end) as failed,
        sum(case when outcome = 'blocked' then 1 else 0 end) as blocked
    from ops.task_runs
    group by dag_id, run_id
    qualify row_number() over (partition by dag_id order by min(started_at) desc, run_id desc) = 1
    order by started_at, dag_id
"""
TROUBLE = """
    select dag_id, task_id, outcome, message from ops.task_runs
    where outcome <> 'success' and run_id in ({marks})
    order by started_at, dag_id, task_id
"""
FIRST = "extract_feedback"

# What each stage counts; {run} narrows it to the rows that certain runs wrote.
STAGES = (
    (
        "Extracted",
        "messages, reviews and texts in the raw tables",
        "select "
        + " + ".join(
            f"(select count(*) from {target} where is_deleted = false and {{run}})"
            for target, table in RAW.items()
            if table.item_id
        )
        + " as n",
    ),
    ("Items", "threads, reviews and texts, masked", "select count(*) as n from feedback.items where {run}"),
    (
        "Asked",
        "items a model was asked about",
        "select count(distinct item_id) as n from ops.answers where status <> 'unasked' and {run}",
    ),
    (
        "Answered",
        "items with an accepted answer",
        "select count(distinct item_id) as n from ops.answers where status = 'answered' and {run}",
    ),
    (
        "Published",
        "items with an answer that passed the gate",
        "select count(distinct item_id) as n from ("
        "select item_id from feedback.sentiment where {run}"
        " union all select item_id from feedback.intent where {run}"
        " union all select item_id from feedback.area where {run}"
        " union all select item_id from feedback.mentions where {run}) as published",
    ),
)


@dataclass(frozen=True)
class DagRun:
    """The newest run of one of our Dags."""

    dag_id: str
    run_id: str
    started_at: datetime
    finished_at: datetime
    failed: int
    blocked: int

    @property
    def outcome(self) -> str:
        """In one word: the worst of its tasks."""
        return "failed" if self.failed else "blocked" if self.blocked else "success"


@dataclass(frozen=True)
class Stage:
    """How much reached one stage, in these runs and in all."""

    name: str
    what: str
    this_run: int
    total: int


def latest_runs(warehouse: Warehouse) -> list[DagRun]:
    """Return the newest run of each Dag since the newest extraction began: one pass through the house."""
    runs = [DagRun(**row) for row in warehouse.rows(RUNS)]
    start = next((run.started_at for run in runs if run.dag_id == FIRST), None)
    return [run for run in runs if start is None or run.started_at >= start]


def troubles(warehouse: Warehouse, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return what failed or was blocked in these runs, one line each; what only follows from it is left out."""
    if not run_ids:
        return []
    found = warehouse.rows(TROUBLE.format(marks=_marks(run_ids)), run_ids)
    return [row for row in found if row["outcome"] != "incomplete"] or found


def funnel(warehouse: Warehouse, runs: Sequence[DagRun]) -> list[Stage]:
    """Count what reached each stage."""
    return [
        Stage(name, what, _in_runs(warehouse, sql, runs), int(warehouse.rows(sql.format(run="1 = 1"))[0]["n"]))
        for name, what, sql in STAGES
    ]


def _in_runs(warehouse: Warehouse, sql: str, runs: Sequence[DagRun]) -> int:
    if not runs:
        return 0
    narrowed = sql.format(run=f"run_id in ({_marks(runs)})")
    ids = [run.run_id for run in runs] * sql.count("{run}")
    return int(warehouse.rows(narrowed, ids)[0]["n"])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
