"""What is told, missed and held to golden items is the same on every engine."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.digest.outbox import write_digests
from feedback.digest.team import Focus, Team
from feedback.model import utc_now
from feedback.notifications import posting
from feedback.notifications.digests import post_digests, waiting
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.operators.watch_operator import WatchOperator
from feedback.validation.bar import Bar
from feedback.validation.golden import standing
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append
from include.assets import WOKEN
from tests.plugins.feedback.digest.seeded import AS_OF, answer, say
from tests.plugins.feedback.notifications.slack_channel import served

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

TEAMS = (Team("all", "All", (Focus(),), takes_rest=True),)


@pytest.fixture
def channel(monkeypatch):
    monkeypatch.setattr(posting, "AT_WORK", timedelta(0))
    with served() as channel:
        yield channel


def write(store, folder, run, **options):
    options = {"channels": {"all": "C1"}} | options
    return write_digests(store, TEAMS, folder, as_of=AS_OF, timezone="UTC", run=run, **options)


def test_a_digest_is_posted_once_and_changed_where_it_stands(store, channel, run, tmp_path):
    say(store, {"number": 1, "sentiment": "negative"})
    channel.faults = ["refuse", "drop"]
    write(store, tmp_path, run)
    for _ in range(4):
        post_digests(store, channel.client, {"all": "C1"})
    assert len(channel.messages) == 1
    say(store, {"number": 2, "sentiment": "negative", "quote": "Heard a little later"})
    write(store, tmp_path, run, force=True)
    assert post_digests(store, channel.client, {"all": "C1"}) == 1
    assert "Heard a little later" in str(channel.messages[0]["blocks"])
    assert waiting(store) == []


def test_what_waits_follows_its_team_and_a_quiet_day_is_a_row(store, channel, run, tmp_path):
    write(store, tmp_path, run)
    assert store.rows("select status, channel from ops.posts") == [{"status": "quiet", "channel": None}]
    say(store, {"number": 1, "sentiment": "negative"})
    channel.closed = {"C1"}
    write(store, tmp_path, run)
    post_digests(store, channel.client, {"all": "C1"})
    assert post_digests(store, channel.client, {"all": "C2"}) == 1


def test_what_stops_is_missed_and_well_again(store, run, tmp_path):
    def look():
        notifier = IncidentNotifier(warehouse=store, folder=tmp_path)
        watch = WatchOperator(task_id="watch", sources=("itunes",), woken=WOKEN, notifier=notifier, warehouse=store)
        return watch.work(run, {}).as_dict()["silent"]

    def ran(dag_id, task_id, hours):
        at = utc_now() - timedelta(hours=hours)
        row = {"run_id": f"{dag_id}{hours}", "dag_id": dag_id, "task_id": task_id, "outcome": "success", "counts": {}}
        append(store, "ops.task_runs", [row | {"started_at": at, "finished_at": at}])

    ran("extract_feedback", "publish", 50)
    say(store, {"number": 1, "sentiment": "negative"})
    write(store, tmp_path, run)
    store.transact(["update ops.posts set updated_at = updated_at - interval '30 hours'"])
    assert look() == 3  # the first Dag, the one it woke, and the digest
    ran("extract_feedback", "publish", 1)
    ran("enrich_feedback", "golden", 0)
    store.transact(["update ops.posts set status = 'posted', ts = '1.2'"])
    assert look() == 0
    assert store.rows("select distinct state from ops.incidents") == [{"state": "recovered"}]


def test_a_prompt_is_held_to_what_is_published(store):
    subject = answer_subject("sentiment", key=("item_id",), rules=(), bar=Bar(models=frozenset({"m"})))
    about = {"enrichment": "sentiment", "model": "m", "content_hash": "h", "run_id": "r", "answered_at": utc_now()}
    golden = {"enrichment": "sentiment", "answer": '"mixed"', "author": "ada", "added_at": utc_now()}
    append(store, "ops.golden", [golden | {"item_id": f"i{n}"} for n in range(60)])
    for version, right in (("old", 55), ("new", 20)):
        said = [["mixed"] if n < right else None for n in range(60)]
        rows = [about | {"prompt_version": version, "item_id": f"i{n}", "answer": one} for n, one in enumerate(said)]
        append(store, "ops.golden_answers", rows)
    append(store, "feedback.sentiment", [answer("i0", label="mixed", score=0.0, prompt_version="old", model="m")])
    found = standing(store, subject, ("new", "m"))
    assert (found.items, found.right, found.holds) == (60, 20, False)
