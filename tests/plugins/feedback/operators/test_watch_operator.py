"""A source that falls silent and a Dag that does not run are found by the clock, told once, and end by themselves."""

from datetime import datetime, timedelta

import pytest

from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.operators.watch_operator import WatchOperator
from feedback.warehouse.merge import append

NOW = datetime(2026, 11, 20, 7)


@pytest.fixture
def watch(warehouse, run, tmp_path):
    def look(now=NOW, sources=("slack",)):
        notifier = IncidentNotifier(warehouse=warehouse, folder=tmp_path / "alerts")
        operator = WatchOperator(task_id="watch", sources=sources, notifier=notifier, as_of=now, warehouse=warehouse)
        return operator.work(run, {}).as_dict()

    return look


def heard(warehouse, *days_ago, source="slack"):
    item = {"source": source, "channel_or_app": "c", "text": "x", "visibility": "public", "message_count": 1}
    item |= {"author_count": 1, "has_reply_by_team": False, "content_hash": "h", "is_askable": True}
    item |= {"first_run_id": "r", "run_id": "r"}
    for days in days_ago:
        at = NOW - timedelta(days=days)
        about = {"posted_at": at, "last_activity_at": at, "updated_at": at, "source_key": str(days)}
        append(warehouse, "feedback.items", [item | about | {"item_id": f"{source}:{days}"}])


def ran(warehouse, *days_ago):
    for days in days_ago:
        at = NOW - timedelta(days=days)
        row = {"run_id": f"r{days}", "dag_id": "extract_feedback", "task_id": "publish", "outcome": "success"}
        append(warehouse, "ops.task_runs", [row | {"counts": {}, "started_at": at, "finished_at": at}])


def incidents(warehouse):
    return {row["key"]: row["state"] for row in warehouse.rows("select key, state from ops.incidents")}


def test_a_source_that_is_silent_for_longer_than_ever_is_an_incident_until_it_speaks(warehouse, watch):
    heard(warehouse, 8, 7, 6, 5)
    counts = watch()
    assert counts["silent"] == 1
    assert "slack has brought nothing new since 2026-11-15 07:00 UTC (5.0 days" in counts["notes"][0]
    watch()
    assert incidents(warehouse) == {"extract_feedback/silent/slack": "open"}
    heard(warehouse, 0.1)
    watch()
    assert incidents(warehouse) == {"extract_feedback/silent/slack": "recovered"}


def test_a_source_that_is_often_silent_is_not_silent(warehouse, watch):
    heard(warehouse, 30, 20, 10, 9)
    assert watch()["silent"] == 0


def test_files_and_sources_that_nobody_reads_any_more_have_no_age(warehouse, watch):
    heard(warehouse, 80, 70, source="itunes")
    assert watch()["silent"] == 0
    assert watch(sources=())["silent"] == 0


def test_a_dag_that_did_not_run_is_an_incident(warehouse, watch):
    ran(warehouse, 5, 4, 3)
    assert "extract_feedback has not run since 2026-11-17" in watch()["notes"][0]
    ran(warehouse, 0)
    watch()
    assert incidents(warehouse) == {"extract_feedback/overdue/": "recovered"}


def test_a_weekend_is_no_delay_where_nothing_runs_at_weekends(warehouse, watch):
    ran(warehouse, 12, 11, 10, 7, 3.2)
    assert watch()["silent"] == 0
