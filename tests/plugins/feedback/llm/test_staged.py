"""What a run was answered, on its way into staging."""

from __future__ import annotations

import pytest

from feedback.llm.owed import read, shards, write_down
from feedback.llm.results import Decided, Results
from feedback.llm.staged import Staging
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT
from tests.plugins.feedback.llm.items import publish

BOTH = (SENTIMENT, INTENT)
TEXTS = [f"The page number {number} is slow." for number in range(40)]
PLACES = "select count(*) as n from staging.asked group by item_id, enrichment"


def answered(items):
    """Sentiment is answered, intent waits."""
    answer = {"label": "negative", "score": -0.5, "quote": None, "confidence": 0.9}
    return Results({(item.key, "sentiment"): Decided(answer, "llm", "m", "c") for item in items}, stopped="budget")


@pytest.fixture
def cut(warehouse, run):
    publish(warehouse, TEXTS)
    write_down(warehouse, BOTH, run, is_offline=False, as_of=None)
    return shards(warehouse, run, most=4)


def test_each_question_stands_once_however_far_a_run_has_come(warehouse, run, cut):
    staging = Staging(warehouse, BOTH, run)
    for number, shard in enumerate(cut):
        items = read(warehouse, BOTH, shard, run)
        staging.add(items, answered(items), shard)
        if number % 3 == 0:
            staging.write()

        assert {row["n"] for row in warehouse.rows(PLACES)} == {1}
    staging.write()

    found = warehouse.rows("select enrichment, outcome, reason, count(*) as n from staging.asked group by 1, 2, 3")
    assert sorted(tuple(row.values()) for row in found) == [
        ("intent", "pending", "budget", 40),
        ("sentiment", "staged", None, 40),
    ]
    assert len(warehouse.rows("select distinct item_id from staging.sentiment")) == 40
    assert staging.counts == {"staged": 40, "pending": 40}


def test_what_has_come_together_is_written_before_it_grows_large(warehouse, run, cut, monkeypatch):
    monkeypatch.setattr("feedback.llm.staged.WRITE_QUESTIONS", 8)
    staging = Staging(warehouse, BOTH, run)
    for shard in cut[:3]:
        items = read(warehouse, BOTH, shard, run)
        staging.add(items, answered(items), shard)

    assert warehouse.rows("select distinct item_id from staging.sentiment")
