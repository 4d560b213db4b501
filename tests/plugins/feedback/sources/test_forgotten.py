"""What of an erased author is kept out of a load, and what of others is not touched."""

import json

import pytest

from feedback.model import Batch
from feedback.sources.authors import author_hash, tombstone_hash
from feedback.sources.forgotten import Forgotten, without_theirs

SALT = b"salt"
ADA = Forgotten(frozenset({tombstone_hash(SALT, "slack", "U0ADA"), tombstone_hash(SALT, "itunes", "Ada")}), SALT)
MINE = {"user": "U0ADA", "text": "secret"}


def kept(target, *rows):
    return ADA.without_theirs(Batch("source", "part", target, list(rows), "id")).rows


def test_rows_of_the_author_are_left_out():
    ada, bo = ({"user_id": user, "payload": "{}"} for user in ("U0ADA", "U0BO"))

    assert kept("raw.slack_messages", ada, bo) == [bo]
    assert kept("raw.slack_users", {"id": "U0ADA"}, {"id": "U0BO"}) == [{"id": "U0BO"}]
    assert kept("raw.app_reviews", {"store": "itunes", "author": "Ada"}) == []
    assert (
        len(kept("raw.app_reviews", {"store": "itunes", "author": None}, {"store": "app_store", "author": "Ada"})) == 2
    )


def test_what_others_repeat_is_left_out_of_their_rows():
    payload = json.dumps({"user": "U0BO", "text": "look", "root": MINE})

    (row,) = kept("raw.slack_messages", {"user_id": "U0BO", "payload": payload, "row_hash": "as it came"})

    assert json.loads(row["payload"]) == {"user": "U0BO", "text": "look"}
    assert row["row_hash"] == "as it came"


def test_where_nobody_is_erased_nothing_is_looked_at():
    batch = Batch("source", "part", "raw.anything", [{"payload": object()}], "id")

    assert Forgotten(frozenset(), b"").without_theirs(batch) is batch


def test_a_tombstone_is_not_the_hash_of_a_workspace():
    assert tombstone_hash(SALT, "slack", "U0ADA") != author_hash(SALT, "T1", "U0ADA")
    assert tombstone_hash(SALT, "slack", "U0ADA|ada") == tombstone_hash(SALT, "slack", "U0ADA")


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"root": MINE, "text": "mine"}, {"text": "mine"}),
        (
            {"attachments": [{"author_id": "U0ADA", "fallback": "secret"}, {"text": "b"}]},
            {"attachments": [{"text": "b"}]},
        ),
        ({"files": [{"user": "U0ADA", "title": "secret.txt"}]}, {"files": []}),
        ({"topic": {"creator": "U0ADA", "value": "secret"}}, {}),
        ({"a": [{"b": [[MINE]]}]}, {"a": [{"b": [[]]}]}),
    ],
)
def test_their_words_are_taken_out_wherever_they_stand(value, left):
    assert without_theirs(value, lambda user: user == "U0ADA") == left


@pytest.mark.parametrize(
    "value",
    [
        MINE,  # the row itself is not for it to judge
        {"reactions": [{"name": "+1", "users": ["U0ADA"]}], "reply_users": ["U0ADA"]},
        {"replies": [{"user": "U0ADA", "ts": "1.0"}], "edited": {"user": "U0ADA", "ts": "1.0"}},
        {"blocks": [{"type": "user", "user_id": "U0ADA"}], "text": "<@U0ADA>"},
        {"topic": {"creator": "U0ADA", "value": ""}},
        [1, None, "U0ADA"],
    ],
)
def test_traces_without_words_stay(value):
    assert without_theirs(value, lambda user: user == "U0ADA") == value
