"""What asking would cost, before anything is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedback.llm.asking import Asking
from feedback.llm.plan import Estimate, planned
from feedback.llm.prices import Model, Usage
from feedback.model import content_hash
from feedback.warehouse.merge import append
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT
from tests.plugins.feedback.llm.test_owed import NOW

MODEL = Model("m", input=1.0, output=2.0, window=10**6, max_output=10**6)
ASKING = Asking(prices=(), as_of=NOW)


@pytest.fixture
def publish(warehouse):
    """Publish items with these texts."""
    item = {"source": "itunes", "source_key": "1:1", "channel_or_app": "1", "visibility": "public", "posted_at": NOW}
    item |= {"last_activity_at": NOW, "message_count": 1, "author_count": 1, "has_reply_by_team": False}
    item |= {"is_askable": True, "first_run_id": "r", "run_id": "r", "updated_at": NOW}

    def write(texts):
        rows = [{"item_id": f"itunes:1:{n}", "text": t, "content_hash": content_hash(t, None)} for n, t in texts]
        append(warehouse, "feedback.items", [item | row for row in rows])

    return write


def test_packing_divides_the_price_of_the_instructions(warehouse, publish):
    publish((n, f"text {n}") for n in range(100))

    alone, packed = (planned(warehouse, (SENTIMENT, INTENT), MODEL, replace(ASKING, pack=rows)) for rows in (1, 20))

    assert (packed.rows, packed.questions) == (100, 200)
    assert packed.input_tokens < alone.input_tokens / 5
    usage = Usage(input_tokens=packed.input_tokens, output_tokens=packed.output_tokens)
    assert packed.usd == pytest.approx(MODEL.cost(usage))


def test_rows_that_check_packing_are_in_the_price(warehouse, publish):
    publish((n, f"text {n}") for n in range(100))

    assert planned(warehouse, (SENTIMENT, INTENT), MODEL, ASKING).calls == 5 + 10


def test_the_same_text_is_paid_once_and_one_in_other_letters_by_its_length(warehouse, publish):
    publish((n, "日本語のレビュー" * 100) for n in range(30))

    found = planned(warehouse, (SENTIMENT, INTENT), MODEL, ASKING)

    assert (found.rows, found.questions) == (1, 2)
    assert found.input_tokens > 600


def test_a_small_window_makes_more_calls(warehouse, publish):
    publish((n, f"text {n} " * 200) for n in range(10))

    assert planned(warehouse, (SENTIMENT, INTENT), replace(MODEL, window=3_000), ASKING).calls > 3


def test_nothing_costs_nothing(warehouse):
    assert planned(warehouse, (INTENT,), Model("m"), ASKING) == Estimate(0, 0, 0, 0, 0, 0.0)


def test_golden_items_are_in_the_price_where_something_is_owed(warehouse, publish):
    publish((n, f"text {n}") for n in range(3))
    golden = {"enrichment": "intent", "answer": '"other"', "added_at": NOW}
    authors = {0: "ada", 1: "ada", 2: "sample"}
    append(warehouse, "ops.golden", [golden | {"item_id": f"itunes:1:{n}", "author": a} for n, a in authors.items()])
    about = {"enrichment": "intent", "prompt_version": INTENT.prompt_version, "status": "answered", "model": "m"}
    answered = {f"itunes:1:{n}": content_hash(f"text {n}", None) for n in range(3)}
    rows = [about | {"item_id": i, "content_hash": h, "rows_out": 1, "run_id": "r"} for i, h in answered.items()]
    append(warehouse, "ops.answers", rows)
    asking = replace(ASKING, unheard=("sample",))
    assert planned(warehouse, (INTENT,), MODEL, asking).questions == 0
    publish([(9, "text 9")])
    assert planned(warehouse, (INTENT,), MODEL, asking).questions == 1 + 2
    asked = {"item_id": "itunes:1:0", "content_hash": answered["itunes:1:0"], "answer": ["other"], "answered_at": NOW}
    known = {"enrichment": "intent", "prompt_version": INTENT.prompt_version, "model": "m", "run_id": "r"}
    append(warehouse, "ops.golden_answers", [known | asked])
    assert planned(warehouse, (INTENT,), MODEL, asking).questions == 1 + 1
