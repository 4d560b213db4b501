"""What a load, a staging and a ledger write promise, on every engine."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from feedback.errors import WarehouseError
from feedback.model import Batch, Run, digest
from feedback.warehouse.merge import append, load, stage, upsert

# fakesnow fetches in a way that DuckDB 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

NOON = datetime(2026, 11, 2, 12)
HOSTILE = "'; drop table raw.slack_messages; -- \" \\ %s ? {x} \n 😀 ａ\u202e"


def message(ts="1.0", text="hello", edited_at=None, **more):
    row = {
        "team_id": "T1",
        "channel_id": "C1",
        "ts": ts,
        "thread_ts": ts,
        "user_id": "U1",
        "text": text,
        "payload": {"text": text, "reactions": [{"name": "+1"}]},
        "edited_at": edited_at,
        "row_hash": digest(text),
    }
    return row | more


def review(body="fine", updated_at=NOON, **more):
    row = {"store": "google_play", "app_id": "app", "review_id": "r1", "rating": 4, "body": body}
    row |= {"updated_at": updated_at, "payload": {"body": body}}
    return row | {"row_hash": digest(body, more.get("reply_text"))} | more


def batch(*rows, target="raw.slack_messages", load_id=None):
    return Batch("slack", "C1", target, list(rows), load_id or digest(target, *map(repr, rows)))


def live(*rows):
    return Batch("google_play", "app", "raw.app_reviews", list(rows), digest("live", *map(repr, rows)), is_live=True)


def texts(store):
    return [row["text"] for row in store.rows("select text from raw.slack_messages order by ts")]


class TestReviewsFromTwoSides:
    """A file knows when a review was written, the API who wrote it."""

    REPORTED = review(created_at=NOON - timedelta(days=9))
    SERVED = review(author="Bo")
    EDITED = review("better", NOON + timedelta(days=1), author="Bo")

    @pytest.mark.parametrize("loads", list(permutations((REPORTED, SERVED, EDITED))))
    def test_whatever_comes_first_the_row_knows_both_and_then_nothing_changes(self, store, run, loads):
        for row in loads:
            load(store, live(row) if row.get("author") else batch(row, target="raw.app_reviews"), run)

        [stored] = store.rows("select body, author, created_at from raw.app_reviews")
        assert tuple(stored.values()) == ("better", "Bo", NOON - timedelta(days=9))
        again = batch(self.REPORTED, target="raw.app_reviews", load_id="again")
        assert load(store, again, Run("run_2", "d", "t")) == 0

    def test_an_answer_that_the_api_shows_no_more_is_gone(self, store, run):
        load(store, batch(review(reply_text="thanks", replied_at=NOON), target="raw.app_reviews"), run)

        load(store, live(review()), run)

        [stored] = store.rows("select reply_text, replied_at from raw.app_reviews")
        assert tuple(stored.values()) == (None, None)

    def test_an_edit_in_a_file_is_later_than_what_the_api_showed_before_it(self, store, run):
        load(store, batch(self.EDITED, target="raw.app_reviews"), run)

        load(store, live(review()), run)

        assert store.rows("select body from raw.app_reviews") == [{"body": "better"}]


class TestLoad:
    def test_inserts_what_is_new(self, store, run):
        assert load(store, batch(message("1.0"), message("2.0", "again")), run) == 2

        row = store.rows("select * from raw.slack_messages where ts = '2.0'")[0]
        assert (row["text"], row["edited_at"], row["is_deleted"], row["run_id"]) == ("again", None, False, "run_1")
        assert row["first_seen_at"] == row["changed_at"]

    def test_happens_once_per_load_id(self, store, run):
        load(store, batch(message(), load_id="same"), run)

        assert load(store, batch(message(text="other"), load_id="same"), run) is None
        assert texts(store) == ["hello"]
        assert [row["row_count"] for row in store.rows("select row_count from ops.loads")] == [1]

    def test_remembers_a_batch_without_rows(self, store, run):
        assert load(store, batch(load_id="empty"), run) == 0
        assert load(store, batch(load_id="empty"), run) is None

    def test_touches_nothing_that_it_sees_again(self, store, run):
        load(store, batch(message(), message("2.0", "edited", NOON)), run)
        before = store.rows("select * from raw.slack_messages order by ts")

        again = [message(payload={"reactions": []}), message("2.0", "edited", NOON)]
        assert load(store, batch(*again, load_id="second"), Run("run_2", "d", "t")) == 0
        assert store.rows("select * from raw.slack_messages order by ts") == before
        assert store.rows("select * from raw.slack_messages_history") == []

    def test_takes_the_later_edit_and_keeps_the_earlier_in_the_history(self, store, run):
        load(store, batch(message(text="first")), run)
        [before] = store.rows("select * from raw.slack_messages")

        assert load(store, batch(message(text="second", edited_at=NOON)), Run("run_2", "d", "t")) == 1

        [row] = store.rows("select * from raw.slack_messages")
        [old] = store.rows("select * from raw.slack_messages_history")
        assert (row["text"], row["edited_at"], row["run_id"]) == ("second", NOON, "run_2")
        assert row["first_seen_at"] == before["first_seen_at"] < row["changed_at"]
        assert (old["text"], old["edited_at"], old["run_id"]) == ("first", None, "run_2")
        assert (old["valid_from"], old["valid_to"]) == (before["changed_at"], row["changed_at"])

    def test_is_not_undone_by_an_older_version(self, store, run):
        load(store, batch(message(text="second", edited_at=NOON)), run)

        assert load(store, batch(message(text="never edited")), run) == 0
        assert load(store, batch(message(text="first", edited_at=NOON - timedelta(hours=1))), run) == 0
        assert texts(store) == ["second"]

    def test_takes_the_latest_of_duplicates_in_one_batch(self, store, run):
        versions = [
            message(text="b", edited_at=NOON),
            message(text="c", edited_at=NOON + timedelta(1)),
            message(text="a"),
        ]

        assert load(store, batch(*versions, *versions), run) == 1
        assert texts(store) == ["c"]

    def test_ends_the_same_in_whatever_order_versions_come(self, store, run):
        versions = [message(text="one"), message(text="other"), message(text="edited", edited_at=NOON)]
        orders = list(permutations(versions))
        for place in range(len(versions)):
            load(store, batch(*[order[place] | {"ts": f"{number}"} for number, order in enumerate(orders)]), run)

        assert texts(store) == ["edited"] * len(orders)

    def test_ends_with_the_tombstone_in_whatever_order_versions_come(self, store, run):
        gone = message(text="This message was deleted.", subtype="tombstone")
        orders = list(permutations([message(text="one"), message(text="edited", edited_at=NOON), gone]))
        for place in range(3):
            load(store, batch(*[order[place] | {"ts": f"{number}"} for number, order in enumerate(orders)]), run)

        assert texts(store) == ["This message was deleted."] * len(orders)

    def test_lets_the_hash_decide_where_no_clock_does(self, store, run):
        versions = [message(text="one"), message(text="other")]
        for order in (versions, versions[::-1]):
            load(store, batch(*[row | {"ts": f"{number}"} for number, row in enumerate(order)]), run)

        assert len(set(texts(store))) == 1

    def test_remembers_an_edit_that_restored_the_words(self, store, run):
        load(store, batch(message(text="a")), run)
        load(store, batch(message(text="a", edited_at=NOON)), run)

        assert load(store, batch(message(text="b", edited_at=NOON - timedelta(hours=1))), run) == 0
        assert texts(store) == ["a"]

    def test_deletes_and_is_not_resurrected(self, store, run):
        load(store, batch(message()), run)

        assert load(store, batch(message(is_deleted=True)), run) == 1
        assert load(store, batch(message(), load_id="an old export"), run) == 0
        assert store.rows("select is_deleted from raw.slack_messages") == [{"is_deleted": True}]
        assert store.rows("select * from raw.slack_messages_history") == []

    def test_takes_a_reply_that_came_after_the_same_review(self, store, run):
        target = "raw.app_reviews"
        replied = review(reply_text="thanks", replied_at=NOON + timedelta(days=1))
        load(store, batch(review(), target=target), run)

        assert load(store, batch(replied, target=target), run) == 1
        assert load(store, batch(review(), target=target, load_id="last month's file"), run) == 0
        assert store.rows("select reply_text from raw.app_reviews") == [{"reply_text": "thanks"}]
        assert [row["rating"] for row in store.rows("select rating from raw.app_reviews_history")] == [4]

    def test_takes_what_came_last_where_nothing_has_a_version(self, store, run):
        user = {"team_id": "T1", "id": "U1", "name": "Ann", "row_hash": "1"}
        target = "raw.slack_users"
        load(store, batch(user, target=target), run)

        assert load(store, batch(user, target=target, load_id="again"), run) == 0
        assert load(store, batch(user | {"name": "Anna", "row_hash": "0"}, target=target), run) == 1
        assert store.rows("select name from raw.slack_users") == [{"name": "Anna"}]

    def test_keeps_hostile_words_as_they_are(self, store, run):
        hostile = message(HOSTILE, HOSTILE, payload={HOSTILE: HOSTILE})
        load(store, Batch(HOSTILE, HOSTILE, "raw.slack_messages", [hostile], HOSTILE), run)

        assert load(store, Batch(HOSTILE, HOSTILE, "raw.slack_messages", [hostile], HOSTILE), run) is None
        assert store.rows("select ts, text from raw.slack_messages where ts = ?", (HOSTILE,)) == [
            {"ts": HOSTILE, "text": HOSTILE}
        ]

    def test_keeps_half_an_emoji_readable(self, store, run):
        load(store, batch(message(text="cut \ud83d", row_hash="1")), run)

        assert texts(store) == ["cut ?"]

    def test_leaves_nothing_where_its_ledger_row_fails(self, store, run, refused):
        with pytest.raises(refused):
            load(store, Batch(None, "a ledger row needs a source", "raw.slack_messages", [message()], "1"), run)

        assert texts(store) == []
        assert store.rows("select * from ops.loads") == []

    def test_refuses_a_column_that_the_table_has_not(self, store, run):
        with pytest.raises(WarehouseError, match=r"raw\.slack_messages has no column colour"):
            load(store, batch(message(colour="red")), run)

    def test_names_the_column_and_not_the_value_that_does_not_fit(self, store, run):
        with pytest.raises(WarehouseError, match=r"raw\.slack_messages\.edited_at") as refused:
            load(store, batch(message(edited_at="secret words")), run)

        assert "secret" not in str(refused.value)
        assert refused.value.__cause__ is None


class TestStage:
    def answer(self, item_id, label="positive"):
        lineage = {"content_hash": "c", "prompt_version": "p", "decided_by": "llm", "is_stale": False}
        return {"item_id": item_id, "label": label, "answered_at": NOON, "engine_version": "1"} | lineage

    def test_replaces_only_its_shard_of_its_run(self, store, run):
        other = Run("run_2", "a_dag", "a_task")
        stage(store, "sentiment", [self.answer("a"), self.answer("b")], run, shard="0")
        stage(store, "sentiment", [self.answer("c")], run, shard="1")
        stage(store, "sentiment", [self.answer("a")], other, shard="0")

        assert stage(store, "sentiment", [self.answer("b", "negative")], run, shard="0") == 1
        found = store.rows("select run_id, shard, item_id, label from staging.sentiment order by run_id, shard")
        assert [tuple(row.values()) for row in found] == [
            ("run_1", "0", "b", "negative"),
            ("run_1", "1", "c", "positive"),
            ("run_2", "0", "a", "positive"),
        ]

    def test_empties_a_shard_that_has_nothing_any_more(self, store, run):
        stage(store, "sentiment", [self.answer("a")], run)

        assert stage(store, "sentiment", [], run) == 0
        assert store.rows("select * from staging.sentiment") == []


class TestUpsertAndAppend:
    def state(self, source="slack", **state):
        return {"source": source, "state": state, "run_id": "r", "updated_at": NOON}

    def test_replaces_by_key_and_adds_the_rest(self, store):
        upsert(store, "ops.source_state", [self.state(seen=1), self.state("itunes", seen=1)], ["source"])
        upsert(store, "ops.source_state", [self.state(seen=2), self.state(seen=3)], ["source"])

        found = store.rows("select source, state from ops.source_state order by source")
        assert [(row["source"], row["state"].replace(" ", "")) for row in found] == [
            ("itunes", '{"seen":1}'),
            ("slack", '{"seen":3}'),
        ]

    def test_appends(self, store):
        append(store, "ops.source_state", [self.state("a"), self.state("b")])
        append(store, "ops.source_state", [])

        assert store.rows("select count(*) as n from ops.source_state") == [{"n": 2}]
