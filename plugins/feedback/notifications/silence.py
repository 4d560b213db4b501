"""What has not happened: a source that brings nothing, a Dag that did not run, a digest that Slack did not take.

Only a clock can find that. How long is too long is read from the past: twice the longest silence of a source in 90
days, a quarter more than the longest time between two runs of the first Dag. The others are woken: they are late when
what wakes them happened a day ago.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from feedback.digest.wording import plural
from feedback.model import Run, utc_now
from feedback.notifications.incidents import key_of
from feedback.notifications.trouble import Trouble
from feedback.warehouse.base import Warehouse

Found = dict[str, Trouble | None]
"""By the key of its incident what is to be told; None where all is well."""

PAST = timedelta(days=90)
LEAST_SILENCE = timedelta(days=2)
LEAST_DELAY = timedelta(hours=26)
DAY = timedelta(days=1)
FIRST_DAG = "extract_feedback"

ITEMS = "select source as name, last_activity_at as seen_at from feedback.items where last_activity_at <= ?"
RUNS = (
    "select dag_id as name, min(started_at) as seen_at from ops.task_runs where started_at <= ? group by dag_id, run_id"
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
LEFT_LYING = """
    select min(woke.finished_at) as since from ops.task_runs as woke
    where woke.dag_id = ? and woke.task_id = ? and woke.outcome = 'success' and woke.finished_at <= ?
        and woke.finished_at > coalesce(
            (
                select max(runs.started_at) from (
                    select min(started_at) as started_at from ops.task_runs
                    where dag_id = ? and started_at <= ? group by run_id
                ) as runs
            ),
            cast('1970-01-01' as timestamp_ntz)
        )
"""
"""Since when a Dag has not begun what another one's task woke it for."""
UNPOSTED = """
    select channel, count(*) as n, min(updated_at) as since from ops.posts
    where kind = 'digest' and channel is not null and body is not null and status not in ('posted', 'quiet')
        and ts is null and updated_at <= ?
    group by channel
"""
IS_OPEN = "select key from ops.incidents where state = 'open' and key like ?"
QUIET_SOURCE = (
    "See what the source's own task says in extract_feedback, and ops.coverage: a key that was cut back, a channel the"
    " app has left. If customers are silent, nothing is to be done: the incident ends with the next item."
)
ASLEEP = "See whether the Dag is paused, whether a run of it hangs, and whether the scheduler runs."
REFUSED = "`make doctor` looks whether the app may post there; the digests go out as soon as it may."
QUIET_DAG = (
    "See whether the company's warehouse Dag still updates its asset (FEEDBACK_WAREHOUSE_ASSET), whether the Dag is"
    " paused and whether the scheduler runs."
)


def silent_sources(warehouse: Warehouse, sources: Collection[str], now: datetime, run: Run) -> Found:
    """Return what is to be told about each source."""
    found: Found = {}
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


def overdue_first(warehouse: Warehouse, now: datetime, run: Run) -> Found:
    """Return the same about the Dag that everything begins with."""
    found: Found = {}
    for name, since, longest in _gaps(warehouse, RUNS, now):
        if name != FIRST_DAG:
            continue
        key = key_of(FIRST_DAG, "overdue", [])
        is_late = now - since > max(LEAST_DELAY, 1.25 * longest)
        said = f"{FIRST_DAG} has not run since {_told(since)} ({_days(now - since)} ago)."
        found[key] = Trouble(key, FIRST_DAG, run.run_id, "it did not run", said, [QUIET_DAG]) if is_late else None
    return found


def overdue_woken(warehouse: Warehouse, woken: Mapping[str, tuple[str, str]], now: datetime, run: Run) -> Found:
    """Return the same about the Dags that others wake. One that nobody woke, as after a block, is not late.

    :param woken: each Dag, and the Dag and task that wake it.
    """
    found: Found = {}
    for dag_id, (waker, task_id) in woken.items():
        key = key_of(dag_id, "overdue", [])
        since = warehouse.rows(LEFT_LYING, (waker, task_id, now, dag_id, now))[0]["since"]
        said = f"{dag_id} has not begun what {waker} published on"
        found[key] = (
            Trouble(
                key,
                dag_id,
                run.run_id,
                "it did not run",
                f"{said} {_told(since)} ({_days(now - since)} ago).",
                [ASLEEP],
            )
            if since and now - since > LEAST_DELAY
            else None
        )
    return found


def unposted(warehouse: Warehouse, run: Run) -> Found:
    """Return the same about each channel whose digests have waited for a day, by the clock."""
    is_open = warehouse.rows(IS_OPEN, (key_of(run.dag_id, "unposted", ["%"]),))
    found: Found = {row["key"]: None for row in is_open}
    for row in warehouse.rows(UNPOSTED, (utc_now() - DAY,)):
        channel = row["channel"]
        key = key_of(run.dag_id, "unposted", [channel])
        wait = plural(row["n"], "digest has waited", "digests have waited")
        said = f"{wait} for channel {channel} since {_told(row['since'])}."
        found[key] = Trouble(key, run.dag_id, run.run_id, f"digests wait for {channel}", said, [REFUSED])
    return found


def _gaps(warehouse: Warehouse, happened: str, now: datetime) -> Iterator[tuple[str, datetime, timedelta]]:
    for row in warehouse.rows(GAPS.format(happened=happened), (now - PAST, now)):
        yield str(row["name"]), row["newest"], timedelta(seconds=row["longest_s"])


def _told(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"
