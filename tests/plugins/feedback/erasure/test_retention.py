"""Nothing grows older than it may: not in a table, not in a file; and that is no deletion by its source."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from feedback.erasure import scope
from feedback.operators.retention_operator import RetentionOperator
from feedback.sources.slack_export import SlackExport
from include.enrichments import ENRICHMENTS
from tests.plugins.feedback.erasure.world import ADA, BO, MARK, OTHER, messages, said

LAST = datetime(2025, 10, 2, 10, 13, 26)
"""About when the last message of the world was edited."""


@pytest.fixture
def expire(world):
    """Return a function that expires what is older than some days at an instant, and returns how many rows were."""

    def expire(days, as_of):
        counts = world.work(RetentionOperator, days=days, enrichments=ENRICHMENTS, places=world.places, as_of=as_of)
        return counts.as_dict().get("expired")

    return expire


def texts(world, condition="1 = 1"):
    return [row["text"] for row in world.warehouse.rows(f"select text from feedback.items where {condition}")]


def test_what_is_not_old_enough_stays(world, expire):
    before = world.tables_with(MARK)

    assert expire(30, datetime(2025, 10, 20)) == 0
    assert world.tables_with(MARK) == before


def test_without_a_period_nothing_is_looked_at(expire):
    assert expire(None, datetime(2099, 1, 1)) is None


def test_old_threads_leave_every_table_and_file_and_young_reviews_stay(world, expire, monkeypatch):
    monkeypatch.setattr(scope, "AT_ONCE", 2)

    assert expire(30, datetime(2025, 12, 1)) == 7

    # What is left of the word is in the review, which was first seen today.
    left = {
        "raw.app_reviews",
        "feedback.items",
        "feedback.mentions",
        "marts.feedback_wide",
        "feedback.mentions_resolved",
    }
    assert world.tables_with(MARK) >= left
    assert not world.tables_with(MARK) & {
        "raw.slack_messages",
        "raw.slack_messages_history",
        "feedback.answers_history",
    }
    assert not (world.home / "report" / "index.html").exists()
    assert texts(world, "source = 'slack'") == []
    assert len(texts(world)) == 2
    assert world.warehouse.rows("select distinct reason from ops.tombstones") == [{"reason": "retention"}]
    assert world.warehouse.rows("select * from ops.cases") == []


def test_loading_it_again_does_not_bring_it_back_but_a_later_edit_does(world, expire):
    expire(30, datetime(2025, 12, 1))

    world.extract(SlackExport(world.export(messages())))
    assert texts(world, "source = 'slack'") == []

    edited = said(
        BO, f"{OTHER} is great, I say it again.", "1759313300.000001", edited={"user": BO, "ts": "3999999999.0"}
    )
    world.extract(SlackExport(world.export([edited])))
    assert texts(world, "source = 'slack'") == [edited["text"]]


def test_a_thread_lives_as_long_as_somebody_speaks_in_it(world, expire):
    late = said(ADA, "still slow", "1764500000.000001", thread_ts="1759312800.000001")
    world.extract(SlackExport(world.export([*messages(edit=" today"), late])))

    expire(30, datetime(2025, 12, 1))

    (thread,) = texts(world, "source = 'slack'")
    assert thread.startswith(f"Speaker A: {MARK.title()}")


def test_a_copy_goes_when_it_is_as_old_itself(world, expire):
    old, young = world.home / "backups" / "warehouse-1.duckdb", world.home / "warehouse.duckdb.before-0009-x"
    os.utime(old, (LAST.timestamp(),) * 2)

    expire(30, datetime(2025, 12, 1))

    assert (old.exists(), young.exists()) == (False, True)


def test_the_second_time_there_is_nothing_to_do(expire):
    expire(30, datetime(2025, 12, 1))

    assert expire(30, datetime(2025, 12, 1)) == 0
