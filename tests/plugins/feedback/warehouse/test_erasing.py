"""What an erasure does to the tables, on every engine, and what a load does afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from feedback.digest.compose import END
from feedback.erasure.reach import reach
from feedback.erasure.removal import NO_NAME, erase
from feedback.erasure.scope import Author, before, of_author
from feedback.model import Batch, digest, utc_now
from feedback.resolution.register import mint
from feedback.sources.authors import salt_mark
from feedback.warehouse.merge import append, load

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

NOON = datetime(2026, 11, 2, 12)
ADA = of_author(Author("slack", "U1"))
LINEAGE = {"content_hash": "h", "prompt_version": "p", "model": "m", "decided_by": "llm", "is_stale": False}
LINEAGE |= {"call_id": "c1", "run_id": "run_0", "engine_version": "0", "answered_at": NOON}


def message(ts, user="U1", text="hello", edited_at=None, **payload):
    key = {"team_id": "T1", "channel_id": "C1", "ts": ts, "thread_ts": "1.0"}
    said = {"user_id": user, "text": text, "payload": {"user": user, "text": text, **payload}}
    return {**key, **said, "edited_at": edited_at, "row_hash": digest(text, edited_at)}


def review(author="Ada", body="fine", updated_at=NOON):
    key = {"store": "itunes", "app_id": "a", "review_id": "r1"}
    said = {"rating": 1, "author": author, "body": body, "payload": {"body": body}}
    return {**key, **said, "updated_at": updated_at, "row_hash": digest(body)}


def put(store, run, target, *rows, **options):
    load(store, Batch("source", "part", target, list(rows), digest(target, *map(repr, rows)), **options), run)


def go(store, run, scope):
    found = reach(store, scope, (), run)
    erase(store, scope, found, run, salt=b"salt")
    return {table: n for table, n in found.counts.items() if n}


def messages(store):
    return {row["ts"]: row for row in store.rows("select * from raw.slack_messages")}


@pytest.fixture
def thread(store, run):
    """A thread of two people, the first of whom has edited, and whom the second repeats."""
    shared = [{"author_id": "U1", "text": "hello"}, {"text": "a link"}]
    put(store, run, "raw.slack_messages", message("1.0"), message("1.1", "U2", "same", attachments=shared))
    put(store, run, "raw.slack_messages", message("1.0", text="hello again", edited_at=NOON))
    put(store, run, "raw.slack_users", {"team_id": "T1", "id": "U1", "name": "Ada", "payload": {}, "row_hash": "1"})
    return store


def test_rows_are_blanked_and_what_others_repeat_is_taken_out(thread, run):
    assert go(thread, run, ADA) == {"raw.slack_messages": 2, "raw.slack_messages_history": 1, "raw.slack_users": 1}

    rows = messages(thread)
    own = rows["1.0"]
    assert (own["user_id"], own["text"], own["payload"], own["is_deleted"], own["row_hash"]) == (
        *(None, None, "{}"),
        *(True, "erased"),
    )
    assert (rows["1.1"]["text"], rows["1.1"]["is_deleted"]) == ("same", False)
    assert "hello" not in rows["1.1"]["payload"]
    assert "a link" in rows["1.1"]["payload"]
    assert rows["1.1"]["changed_at"] == own["changed_at"]
    for table in ("raw.slack_messages_history", "raw.slack_users", "staging.erasing"):
        assert thread.rows(f"select * from {table}") == []
    kept = thread.rows("select subject, row_key, reason from ops.tombstones order by subject")
    assert [tuple(row.values()) for row in kept] == [
        ("author", ADA.author.tombstone(b"salt"), "erased"),
        ("salt", salt_mark(b"salt"), "erased"),
        ("slack_message", "T1|C1|1.0", "erased"),
    ]


@pytest.mark.parametrize("is_live", [True, False])
def test_no_version_follows_an_erased_row(thread, run, is_live):
    go(thread, run, ADA)

    put(thread, run, "raw.slack_messages", message("1.0", edited_at=datetime(2099, 1, 1)), is_live=is_live)

    assert messages(thread)["1.0"]["text"] is None


def test_an_expired_row_gives_way_to_a_later_version_only(store, run):
    put(store, run, "raw.app_reviews", review())

    assert go(store, run, before(NOON + timedelta(days=1))) == {"raw.app_reviews": 1}
    put(store, run, "raw.app_reviews", review(), review(body="edited", updated_at=NOON + timedelta(hours=1)))
    assert store.rows("select body, is_deleted from raw.app_reviews") == [{"body": None, "is_deleted": True}]

    put(store, run, "raw.app_reviews", review(body="new", updated_at=utc_now() + timedelta(days=1)))
    assert store.rows("select body, is_deleted from raw.app_reviews") == [{"body": "new", "is_deleted": False}]


def test_a_thread_is_as_old_as_its_youngest_word(thread, run):
    at_noon = before(NOON)

    assert go(thread, run, at_noon) == {}
    assert go(thread, run, before(NOON + timedelta(seconds=1)))["raw.slack_messages"] == 2


def test_everything_about_the_item_goes_and_nothing_about_another(thread, run):
    for item, call in (("slack:T1:C1:1.0", "c1"), ("slack:T1:C1:9.0", "c2")):
        mention = {"mention_id": item, "kind": "company", "surface": "Acme", "norm": "acme", "quote": "Acme"}
        append(thread, "feedback.mentions", [{**LINEAGE, **mention, "item_id": item, "call_id": call}])
        append(
            thread,
            "ops.golden",
            [{"item_id": item, "enrichment": "intent", "answer": '"bug"', "author": "me", "added_at": NOON}],
        )

    counts = go(thread, run, ADA)

    assert (counts["feedback.mentions"], counts["ops.golden"]) == (1, 1)
    assert [row["item_id"] for row in thread.rows("select item_id from feedback.mentions")] == ["slack:T1:C1:9.0"]
    assert [row["item_id"] for row in thread.rows("select item_id from ops.golden")] == ["slack:T1:C1:9.0"]


def test_a_digest_that_may_be_in_slack_is_owed_there_as_what_is_left_of_it(thread, run):
    lines = [
        {"item_id": item, "reason": "r", "quote": quote, "link": None, "source": "s", "stars": None, "age": "1 h"}
        for item, quote in (("slack:T1:C1:1.0", "hello"), ("slack:T1:C1:9.0", "goodbye"))
    ]
    told = {"lines": [{**line, "is_stale": False} for line in lines], "counts": {}, "blocks": [{}, {}, END]}
    post = {"kind": "digest", "channel": "C1", "body_sha": "x", "run_id": "r", "updated_at": NOON}
    for key, status, ts, body in (
        ("changed", "posted", "1.2", told),
        ("perhaps", "ambiguous", None, told),
        ("strange", "posted", "1.2", {**told, "blocks": []}),
        ("unsent", "planned", None, told),
    ):
        append(thread, "ops.posts", [{**post, "post_key": key, "status": status, "ts": ts, "body": body}])

    assert go(thread, run, ADA)["ops.posts"] == 4

    left = {row["post_key"]: row for row in thread.rows("select post_key, status, body from ops.posts")}
    assert {key: row["status"] for key, row in left.items()} == {
        "changed": "planned",
        "perhaps": "ambiguous",
        "strange": "posted",
    }
    assert left["strange"]["body"] is None
    for key in ("changed", "perhaps"):
        assert "hello" not in left[key]["body"]
        assert "“goodbye”" in str(json.loads(left[key]["body"])["blocks"])


def test_a_name_that_nobody_else_uses_is_forgotten(thread, run):
    entity = mint("company", "acme")
    mention = {"mention_id": "1", "item_id": "slack:T1:C1:1.0", "kind": "company", "surface": "Acme", "norm": "acme"}
    decision = {"decision_id": "d", "kind": "company", "norm": "acme", "run_id": "r"}
    append(thread, "feedback.mentions", [{**LINEAGE, **mention}])
    append(thread, "feedback.entity_names", [{**decision, "entity_id": entity}])
    append(thread, "ops.entity_decisions", [{**decision, "verdict": "new", "decided_by": "rule", "decided_at": NOON}])
    event = {"event_id": "e", "entity_id": entity, "event": "create", "norm": "acme", "run_id": "r", "created_at": NOON}
    append(thread, "ops.entity_events", [event])
    row = {"entity_id": entity, "kind": "company", "canonical_name": "Acme", "is_competitor": False}
    append(thread, "feedback.entities", [{**row, "status": "active", "run_id": "r", "created_at": NOON}])

    assert go(thread, run, ADA)["feedback.entity_names"] == 1

    for table in ("feedback.entity_names", "ops.entity_decisions", "ops.entity_events"):
        assert thread.rows(f"select * from {table}") == []
    assert thread.rows("select canonical_name from feedback.entities") == [{"canonical_name": NO_NAME}]


def test_a_topic_goes_from_its_channel(store, run):
    topic = {"topic": {"value": "my secret", "creator": "U1"}, "name": "general"}
    row = {"team_id": "T1", "id": "C1", "name": "general", "is_private": False, "payload": topic, "row_hash": "1"}
    put(store, run, "raw.slack_channels", row)

    assert go(store, replace(run, run_id="run_2"), ADA) == {"raw.slack_channels": 1}
    assert "my secret" not in store.rows("select payload from raw.slack_channels")[0]["payload"]


def test_a_run_erases_only_what_it_has_marked_itself(thread, run):
    reach(thread, ADA, (), replace(run, run_id="a dry run"))

    assert go(thread, run, of_author(Author("slack", "U9"))) == {}
    assert messages(thread)["1.0"]["text"] == "hello again"
