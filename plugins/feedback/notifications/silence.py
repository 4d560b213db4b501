"""What has not happened: a source that brings nothing, a Dag that did not run. Only a clock can find that.

How long is too long is read from the past: twice the longest silence of a source in 90 days, a quarter more than
the longest time between two runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from feedback.model import Run
from feedback.notifications.incidents import key_of
from feedback.notifications.trouble import Trouble
from feedback.warehouse.base import Warehouse

PAST = timedelta(days=90)
LEAST_SILENCE = timedelta(days=2)
LEAST_DELAY = timedelta(hours=26)
FIRST_DAG = "extract_feedback"

ITEMS = "select source as name, last_activity_at as seen_at from feedback.items where last_activity_at <= ?"
RUNS = (
    "select dag_id as name, min(started_at) as seen_at from ops.task_runs where outcome = 'success' and started_at <= ?"
    " group by dag_id, run_id"
)
GAPS = """
    select name, max(seen_at) as newest,
        coalesce(max(case when seen_at >= ? then datediff('second', seen_before, seen_at) end), 0) as longest_s
    from (
        select name, seen_at, lag(seen_at) over (partition by name order by seen_at) as seen_before
        from ({happened}) as happened
    ) as gaps
    group by name
"""
QUIET_SOURCE = (
    "See what the source's own task says in extract_feedback, and ops.coverage: a key that was cut back, a channel the"
    " app has left. If customers are silent, nothing is to be done: the incident ends with the next item."
)
QUIET_DAG = (
    "See whether the company's warehouse Dag still updates its asset (FEEDBACK_WAREHOUSE_ASSET), whether the Dag is"
    " paused and whether the scheduler runs."
)


def silent_sources(
    warehouse: Warehouse, sources: Collection[str], now: datetime, run: Run
) -> dict[str, Trouble | None]:
    """Return by the key of its incident what is to be told about each source; None where all is well."""
    found = {}
    for name, since, longest in _gaps(warehouse, ITEMS, now):
        if name not in sources:
            continue
        key = key_of(FIRST_DAG, "silent", [name])
        is_silent = now - since > max(LEAST_SILENCE, 2 * longest)
        said = f"{name} has brought nothing new since {_told(since)} ({_days(now - since)}; before, {_days(longest)}"
        found[key] = (
            Trouble(key, FIRST_DAG, run.run_id, f"{name} is silent", f"{said} at the longest).", [QUIET_SOURCE])
            if is_silent
            else None
        )
    return found


def overdue_dag(warehouse: Warehouse, now: datetime, run: Run) -> dict[str, Trouble | None]:
    """Return the same about the Dag that everything begins with."""
    found = {}
    for name, since, longest in _gaps(warehouse, RUNS, now):
        if name != FIRST_DAG:
            continue
        key = key_of(FIRST_DAG, "overdue", [])
        is_late = now - since > max(LEAST_DELAY, 1.25 * longest)
        said = f"{FIRST_DAG} has not run since {_told(since)} ({_days(now - since)} ago)."
        found[key] = Trouble(key, FIRST_DAG, run.run_id, "it did not run", said, [QUIET_DAG]) if is_late else None
    return found


def _gaps(warehouse: Warehouse, happened: str, now: datetime) -> Iterator[tuple[str, datetime, timedelta]]:
    for row in warehouse.rows(GAPS.format(happened=happened), (now - PAST, now)):
        yield str(row["name"]), row["newest"], timedelta(seconds=row["longest_s"])


def _told(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"
