"""What asking would cost, before anything is asked."""

from __future__ import annotations

import pytest

from feedback.llm.owed import Owed
from feedback.llm.plan import estimate, rows_of
from feedback.llm.prices import Model, Usage
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT


def test_the_same_words_and_rating_are_asked_once_with_all_their_questions():
    items = [
        Owed("1", "Great", 5, "h", ("sentiment",)),
        Owed("2", "Great", 5, "h", ("sentiment", "intent")),
        Owed("3", "Great", 4, "h", ("intent",)),
    ]

    assert [(row.rating, row.owed) for row in rows_of(items)] == [(5, ("sentiment", "intent")), (4, ("intent",))]


def test_packing_divides_the_price_of_the_instructions(row):
    model = Model("m", input=1.0, output=2.0, window=10**6, max_output=10**6)
    rows = [row(f"text {n}") for n in range(100)]

    alone, packed = (estimate(rows, (SENTIMENT, INTENT), model, most_rows) for most_rows in (1, 20))

    assert (alone.calls, packed.calls, packed.rows, packed.questions) == (100, 5, 100, 200)
    assert packed.input_tokens < alone.input_tokens / 5
    usage = Usage(input_tokens=packed.input_tokens, output_tokens=packed.output_tokens)
    assert packed.usd == pytest.approx(model.cost(usage))


def test_nothing_costs_nothing():
    assert estimate([], (INTENT,), Model("m"), 20).usd == 0
