"""What a run was answered, on its way into staging."""

from __future__ import annotations

import contextlib

import pytest

from feedback.errors import WarehouseError
from feedback.llm.ledger import Ledger, Paid
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


def test_what_has_come_together_is_due_before_it_grows_large(warehouse, run, cut, monkeypatch):
    monkeypatch.setattr("feedback.llm.staged.WRITE_QUESTIONS", 12)
    staging = Staging(warehouse, BOTH, run)
    for shard in cut[:4]:
        assert staging.is_due == (staging.counts.total() >= 12)
        items = read(warehouse, BOTH, shard, run)
        staging.add(items, answered(items), shard)

    assert staging.is_due
    staging.write()
    assert not staging.is_due


@pytest.mark.parametrize("is_broken", [False, True], ids=["written", "refused"])
def test_what_is_staged_and_what_was_paid_for_it_are_written_together_or_not_at_all(warehouse, run, cut, is_broken):
    ledger = Ledger(warehouse, run, "online")
    ledger.keep([Paid("k", "sentiment", {"label": "negative"}, "m")], "sentiment x1", "c")
    staging = Staging(warehouse, BOTH, run)
    items = read(warehouse, BOTH, cut[0], run)
    staging.add(items, answered(items), cut[0])
    if is_broken:
        warehouse.transact(["alter table ops.llm_answers rename to elsewhere"])

    with pytest.raises(WarehouseError) if is_broken else contextlib.nullcontext():
        ledger.flush(staging.write)

    if is_broken:
        warehouse.transact(["alter table ops.elsewhere rename to llm_answers"])
    staged = warehouse.rows("select count(*) as n from staging.sentiment")[0]["n"]
    assert (staged, len(ledger.known(["k"]))) == ((0, 0) if is_broken else (len(items), 1))

    ledger.flush(staging.write)

    staged = warehouse.rows("select count(*) as n from staging.sentiment")[0]["n"]
    assert (staged, len(ledger.known(["k"]))) == (len(items), 1)
