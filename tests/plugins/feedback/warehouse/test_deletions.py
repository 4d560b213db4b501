"""What a clean walk misses is deleted, and leaves what is published, on every engine; much of it waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pytest

from feedback.model import Batch, Run, Walked, digest
from feedback.sources.base import Source
from feedback.sources.deletions import miss, settle
from feedback.validation.cases import decide
from feedback.validation.subject import Subject, Table
from feedback.validation.withdrawal import withdraw
from feedback.warehouse.merge import append, load

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

NOON = datetime(2026, 11, 2, 12)
ITEMS = Subject("items", "items", (Table("items", ("item_id",)),), (), answered_by=("sentiment",))


class Api(Source):
    """A source that can say what is gone."""

    name = "api"
    kind: ClassVar[str] = "slack"

    def extract(self, past):
        return iter(())


def message(ts, thread_ts=None, **more):
    row = {"team_id": "T1", "channel_id": "C1", "ts": ts, "thread_ts": thread_ts or ts, "text": f"said at {ts}"}
    return row | {"payload": {}, "row_hash": digest(ts)} | more


def seen(store, *rows, run="run_1"):
    load(store, Batch("api", "C1", "raw.slack_messages", list(rows), digest(run, *rows), True), Run(run, "d", "t"))


def walked(store, *met, run="run_2", where="channel_id = ?", params=("C1",)):
    keys = frozenset(("T1", "C1", ts) for ts in met)
    miss(store, Walked("api", "raw.slack_messages", where, params, keys), Run(run, "d", "t"))
    return settle(store, Api(), Run(run, "d", "t"))


def published(store, *numbers):
    """Items of threads, with an answer each."""
    about = {"source": "slack", "source_key": "k", "channel_or_app": "c", "text": "t", "visibility": "public"}
    about |= {"posted_at": NOON, "last_activity_at": NOON, "message_count": 1, "author_count": 1, "updated_at": NOON}
    about |= {"has_reply_by_team": False, "content_hash": "h", "is_askable": True, "first_run_id": "r", "run_id": "r"}
    ids = [f"slack:T1:C1:{number}" for number in numbers]
    append(store, "feedback.items", [{**about, "item_id": item_id} for item_id in ids])
    answer = {"label": "neutral", "content_hash": "h", "prompt_version": "p", "decided_by": "llm", "is_stale": False}
    answer |= {"run_id": "r", "engine_version": "1", "answered_at": NOON}
    append(store, "feedback.sentiment", [{**answer, "item_id": item_id} for item_id in ids])


def alive(store):
    return [row["ts"] for row in store.rows("select ts from raw.slack_messages where not is_deleted order by ts")]


def test_a_message_that_a_clean_walk_misses_is_deleted_and_leaves_a_tombstone(store):
    seen(store, message("1"), message("2"))

    assert walked(store, "1") == (1, [])

    assert alive(store) == ["1"]
    assert store.rows("select subject, row_key, reason from ops.tombstones") == [
        {"subject": "slack_message", "row_key": "T1|C1|2", "reason": "deleted"}
    ]


def test_what_lies_outside_the_walk_is_left_alone(store):
    seen(store, message("1"), message("2"), message("3", channel_id="C2"))

    walked(store, where="channel_id = ? and ts >= ?", params=("C1", "2"))

    assert alive(store) == ["1", "3"]


def test_a_walk_that_finds_everything_changes_nothing(store):
    seen(store, message("1"), message("2"))
    before = store.rows("select * from raw.slack_messages order by ts")

    assert walked(store, "1", "2") == (0, [])

    assert store.rows("select * from raw.slack_messages order by ts") == before


def test_what_is_seen_again_at_its_source_lives_again(store):
    seen(store, message("1"))
    walked(store)

    seen(store, message("1"), run="run_3")

    assert alive(store) == ["1"]
    assert store.rows("select * from ops.tombstones") == []


def test_an_old_file_brings_nothing_back(store):
    seen(store, message("1"))
    walked(store)

    load(store, Batch("export", "f", "raw.slack_messages", [message("1")], "old"), Run("run_3", "d", "t"))

    assert alive(store) == []


def test_at_equal_clocks_what_the_source_says_now_counts(store):
    for number, text in enumerate(("one", "two", "one"), 1):
        seen(store, message("1", text=text, row_hash=digest(text)), run=f"run_{number}")

        assert [row["text"] for row in store.rows("select text from raw.slack_messages")] == [text]
    assert store.rows("select count(*) as n from raw.slack_messages_history")[0]["n"] == 2


def test_an_item_without_a_living_row_leaves_with_all_that_was_said_about_it(store):
    seen(store, message("1"), message("2"), message("3", thread_ts="2"))
    published(store, *range(1, 101))
    walked(store, "2")

    assert withdraw(store, ITEMS) == 1
    left = store.rows("select item_id from feedback.items where item_id in ('slack:T1:C1:1', 'slack:T1:C1:2')")
    assert left == [{"item_id": "slack:T1:C1:2"}]
    assert store.rows("select count(*) as n from feedback.sentiment")[0]["n"] == 99
    assert withdraw(store, ITEMS) == 0


class TestMuchAtOnce:
    @pytest.fixture
    def missed(self, store):
        """Three of a hundred items are gone: more than two in a hundred."""
        seen(store, *(message(str(number)) for number in range(1, 101)))
        published(store, *range(1, 101))
        return walked(store, *(str(number) for number in range(4, 101)))

    def test_it_waits_for_a_person_and_says_so(self, store, missed):
        deleted, [gap] = missed

        assert deleted == 0
        assert len(alive(store)) == 100
        assert (gap.reason, gap.row_count) == ("too_many_deleted", 3)
        assert "make review" in gap.detail
        assert [row["state"] for row in store.rows("select state from ops.cases")] == ["open"]

    @pytest.mark.parametrize(("decision", "left"), [("accepted", 97), ("dropped", 100)])
    def test_a_persons_word_holds_at_the_next_run(self, store, missed, decision, left):
        [case] = store.rows("select case_id from ops.cases")
        decide(store, case["case_id"], decision, "a person")

        deleted, waiting = walked(store, *(str(number) for number in range(4, 101)), run="run_3")

        assert (deleted, waiting, len(alive(store))) == (100 - left, [], left)

    def test_what_is_sent_back_is_looked_for_again(self, store, missed):
        [case] = store.rows("select case_id from ops.cases")
        decide(store, case["case_id"], "re_asked", "a person")

        settle(store, Api(), Run("run_3", "d", "t"))
        deleted, waiting = walked(store, *(str(number) for number in range(2, 101)), run="run_4")

        assert (deleted, waiting, len(alive(store))) == (1, [], 99)

    def test_while_it_waits_a_few_more_are_still_deleted(self, store, missed):
        deleted, [gap] = walked(store, *(str(number) for number in range(5, 101)), run="run_3")

        assert (deleted, gap.row_count) == (1, 3)


def test_replies_that_are_gone_are_no_items_that_are_gone(store):
    seen(store, message("1"), *(message(str(number), thread_ts="1") for number in range(2, 11)))
    published(store, 1)

    assert walked(store, "1") == (9, [])
