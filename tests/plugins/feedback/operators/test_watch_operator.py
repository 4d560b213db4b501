"""A source that falls silent and a Dag that does not run are found by the clock, told once, and end by themselves."""

from datetime import datetime, timedelta

import pytest

from feedback.digest.outbox import write_digests
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.operators.watch_operator import WatchOperator
from feedback.warehouse.merge import append
from include import settings
from include.assets import WOKEN
from include.sources import sources, watched
from tests.plugins.feedback.digest.seeded import AS_OF, say
from tests.plugins.feedback.digest.test_outbox import TEAMS
from tests.plugins.feedback.sources.helpdesk import TICKETS

NOW = datetime(2026, 11, 20, 7)
LIVE = {
    "FEEDBACK_SLACK_CHANNELS": "*",
    "FEEDBACK_APP_STORE_APPS": "1234567890",
    "FEEDBACK_ITUNES_APPS": "us:1",
    "FEEDBACK_GOOGLE_PLAY_APPS": "com.example.app",
}
FILES = {
    "FEEDBACK_SLACK_EXPORT": "export.zip",
    "FEEDBACK_ITUNES_PAGES": "pages",
    "FEEDBACK_GOOGLE_PLAY_CSV": "reviews",
}
REGISTRY = [*sorted(watched((*sources(settings.load(LIVE)), TICKETS))), "extract_feedback", *WOKEN]
"""Every source that goes on by itself, and every Dag but the one that looks."""


@pytest.fixture
def watch(warehouse, run, tmp_path):
    def look(now=NOW, sources=("slack",)):
        notifier = IncidentNotifier(warehouse=warehouse, folder=tmp_path / "alerts")
        operator = WatchOperator(
            task_id="watch", sources=sources, woken=WOKEN, notifier=notifier, as_of=now, warehouse=warehouse
        )
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


def ran(warehouse, *days_ago, dag="extract_feedback", task="migrate", outcome="success"):
    for days in days_ago:
        at = NOW - timedelta(days=days)
        row = {"run_id": f"{dag}{days}", "dag_id": dag, "task_id": task, "outcome": outcome}
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


@pytest.mark.parametrize("name", REGISTRY)
def test_whatever_goes_on_by_itself_is_missed_once_when_it_stops_and_well_when_it_goes_on(warehouse, watch, name):
    def goes_on(*days_ago):
        if name in (*WOKEN, "extract_feedback"):
            ran(warehouse, *days_ago, dag=name)
        else:
            heard(warehouse, *days_ago, source=name)

    def look():
        return watch(sources=() if name in WOKEN else (name,))["silent"]

    goes_on(9, 8, 7, 6)
    if name in WOKEN:
        waker, task = WOKEN[name]
        ran(warehouse, 9.1, 8.1, 7.1, 6.1, dag=waker, task=task)
        assert look() == 0
        ran(warehouse, 3, dag=waker, task=task)
    assert [look(), look()] == [1, 1]
    (key,) = incidents(warehouse)
    assert name in key
    goes_on(0.05)
    assert look() == 0
    assert incidents(warehouse) == {key: "recovered"}


def test_every_live_source_is_watched_and_no_file(warehouse):
    assert {"slack", "app_store", "itunes", "google_play"} <= set(REGISTRY)
    assert watched(sources(settings.load(FILES))) == frozenset()


def test_a_dag_that_nobody_woke_is_not_late(warehouse, watch):
    """A block, a failure or a first Dag that does not run has told people itself."""
    ran(warehouse, 9, 8, task="publish")
    ran(warehouse, 8.9, 7.9, dag="enrich_feedback")
    ran(warehouse, 3, 2, 1, task="publish", outcome="blocked")
    assert watch(sources=())["silent"] == 0


def test_a_dag_that_has_never_begun_is_late_a_day_after_it_was_first_woken(warehouse, watch):
    ran(warehouse, 1, 0.5, task="publish")
    assert watch(sources=())["silent"] == 0
    ran(warehouse, 2, task="publish")
    assert (
        "enrich_feedback has not begun what extract_feedback published on 2026-11-18" in watch(sources=())["notes"][0]
    )


def test_a_channel_that_takes_no_digest_for_a_day_is_an_incident(warehouse, watch, run, tmp_path):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    write_digests(
        warehouse, TEAMS, tmp_path, as_of=AS_OF, timezone="UTC", run=run, channels={"slack": "C1", "store": "C2"}
    )
    assert watch(sources=())["silent"] == 0
    warehouse.transact(["update ops.posts set updated_at = updated_at - interval '25 hours' where status = 'planned'"])
    assert "1 digest has waited for channel C1" in watch(sources=())["notes"][0]
    warehouse.transact(["update ops.posts set status = 'posted', ts = '1.2'"])
    assert watch(sources=())["silent"] == 0
    assert set(incidents(warehouse).values()) == {"recovered"}
    warehouse.transact(["update ops.posts set status = 'planned' where ts is not null"])
    assert watch(sources=())["silent"] == 0, "a digest that was posted and is to be changed has not waited since then"
