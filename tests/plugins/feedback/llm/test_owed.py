"""What is owed is read off the data: no answer, a moved text or prompt, a pending one, a quiet thread."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedback.llm.owed import Owed, Shard, mark_unasked, read, rows_of, shards, together, write_down
from feedback.model import Run, content_hash
from feedback.warehouse.merge import append, upsert
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT

NOW = datetime(2026, 11, 2, 12)
BOTH = (SENTIMENT, INTENT)


@pytest.fixture
def publish(warehouse):
    """Publish an item."""

    def write(item_id="itunes:1:1", **more):
        item = {
            "item_id": item_id,
            "source": "itunes",
            "source_key": "1:1",
            "channel_or_app": "1",
            "text": "It is slow.",
            "visibility": "public",
            "posted_at": NOW - timedelta(days=9),
            "last_activity_at": NOW - timedelta(days=9),
            "message_count": 1,
            "author_count": 1,
            "has_reply_by_team": False,
            "content_hash": "h1",
            "is_askable": True,
            "first_run_id": "r",
            "run_id": "r",
            "updated_at": NOW,
        }
        append(warehouse, "feedback.items", [item | more])

    return write


@pytest.fixture
def answer(warehouse):
    """Note an answer to the sentiment question in ops.answers."""

    def write(item_id="itunes:1:1", **more):
        row = {
            "item_id": item_id,
            "enrichment": "sentiment",
            "status": "answered",
            "content_hash": "h1",
            "prompt_version": SENTIMENT.prompt_version,
            "model": "gpt-6-luna",
            "rows_out": 1,
            "run_id": "r",
            "answered_at": NOW - timedelta(days=1),
        }
        upsert(warehouse, "ops.answers", [row | more], ["item_id", "enrichment"])

    return write


RUN = Run("run_1", "a_dag", "a_task")


def questions(warehouse, is_offline=False):
    write_down(warehouse, BOTH, RUN, is_offline=is_offline, as_of=NOW)
    return [(item.item_id, *item.enrichments) for item in read(warehouse, BOTH, Shard(), RUN)]


def test_an_item_owes_every_question_without_an_answer(warehouse, publish, answer):
    publish()
    publish("itunes:1:2")
    answer()

    assert questions(warehouse) == [("itunes:1:1", "intent"), ("itunes:1:2", "sentiment", "intent")]


@pytest.mark.parametrize(
    ("noted", "is_owed"),
    [
        ({}, False),
        ({"rows_out": 0}, False),
        ({"content_hash": "h0"}, True),
        ({"prompt_version": "older"}, True),
        ({"status": "pending"}, True),
        ({"status": "unasked"}, True),
        ({"status": "quarantined"}, False),
        ({"status": "quarantined", "content_hash": "h0"}, True),
        ({"model": "offline"}, True),
        ({"model": "another-model"}, False),
    ],
)
def test_an_answered_question_is_owed_again_only_when_something_moved(warehouse, publish, answer, noted, is_owed):
    publish()
    answer(**noted)

    assert ("sentiment" in questions(warehouse)[0]) == is_owed


def test_an_item_that_is_not_askable_owes_nothing_and_is_noted_once(warehouse, publish, run):
    publish(is_askable=False, unasked_reason="no_words")

    assert questions(warehouse) == []
    assert (mark_unasked(warehouse, BOTH, run), mark_unasked(warehouse, BOTH, run)) == (2, 0)
    noted = warehouse.rows("select distinct status, reason, rows_out from ops.answers")
    assert noted == [{"status": "unasked", "reason": "no_words", "rows_out": 0}]


def test_the_offline_model_never_replaces_a_real_answer(warehouse, publish, answer):
    publish()
    answer(content_hash="h0")
    publish("itunes:1:2")
    answer("itunes:1:2", content_hash="h0", model="offline")
    publish("itunes:1:3")
    answer("itunes:1:3", status="pending", model=None)
    published = {"label": "negative", "prompt_version": "v", "decided_by": "llm", "is_stale": True, "run_id": "r"}
    lineage = {"content_hash": "h0", "engine_version": "0", "answered_at": NOW, "model": "gpt-6-luna"}
    append(warehouse, "feedback.sentiment", [{"item_id": "itunes:1:3"} | published | lineage])

    assert [item for item, *names in questions(warehouse, is_offline=True) if "sentiment" in names] == ["itunes:1:2"]
    assert len([item for item, *names in questions(warehouse) if "sentiment" in names]) == 3


@pytest.mark.parametrize(
    ("active_h_ago", "answered_h_ago", "source", "is_owed"),
    [
        (1, None, "slack", False),
        (3, None, "slack", True),
        (1, 23, "slack", False),
        (1, 25, "slack", True),
        (0, None, "itunes", True),
    ],
)
def test_a_growing_thread_waits_until_it_is_quiet(
    warehouse, publish, answer, active_h_ago, answered_h_ago, source, is_owed
):
    publish(source=source, last_activity_at=NOW - timedelta(hours=active_h_ago))
    if answered_h_ago:
        answer(content_hash="h0", answered_at=NOW - timedelta(hours=answered_h_ago))

    assert any("sentiment" in names for names in questions(warehouse)) == is_owed


def test_the_same_words_and_rating_are_asked_once_with_all_their_questions():
    items = [
        Owed("1", "Great", 5, "h", ("sentiment",)),
        Owed("2", "Great", 5, "h", ("sentiment", "intent")),
        Owed("3", "Great", 4, "other", ("intent",)),
        Owed("4", None, 4, "other", ("intent",)),
    ]

    assert [(row.rating, row.owed) for row in rows_of(items)] == [(5, ("sentiment", "intent")), (4, ("intent",))]


def test_what_is_owed_is_cut_into_shards_in_which_the_same_words_meet(warehouse, publish):
    for number in range(60):
        text = f"Text {number % 30}"
        publish(f"itunes:1:{number}", text=text, content_hash=content_hash(text, None))
    written = write_down(warehouse, BOTH, RUN, is_offline=False, as_of=NOW)

    cut = shards(warehouse, RUN, most=4)
    found = [read(warehouse, BOTH, shard, RUN) for shard in cut]

    assert written == sum(len(item.enrichments) for items in found for item in items) == 120
    assert all(0 < len(rows_of(items)) <= 4 and len(items) == 2 * len(rows_of(items)) for items in found)
    assert len({shard.name for shard in cut}) == len(cut) > 7


def test_a_text_that_changes_while_a_run_is_at_work_is_not_asked_about_by_it(warehouse, publish):
    publish()
    write_down(warehouse, BOTH, RUN, is_offline=False, as_of=NOW)
    warehouse.transact(["update feedback.items set text = 'Other words', content_hash = 'h2'"])

    (item,) = read(warehouse, BOTH, Shard(), RUN)

    assert (item.text, item.enrichments, rows_of([item])) == (None, ("sentiment", "intent"), [])


def test_shards_that_follow_one_another_are_one_stretch():
    low, middle, high = Shard("a", "", 2, "5"), Shard("b", "5", 3, "9"), Shard("c", "9", 4)

    assert together([high, low]) == [low, high]
    assert [(one.first, one.past, one.texts) for one in together([high, low, middle])] == [("", Shard.past, 9)]
