"""Packs: every row in exactly one, beside rows that owe the same, inside the model's window."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.llm.pack import Row, fits, packs
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT

REGISTRY = Registry((SENTIMENT, INTENT))
OWED = st.sampled_from([("sentiment",), ("intent",), ("sentiment", "intent"), ("intent", "sentiment")])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.builds(Row, st.text(max_size=300), st.none() | st.integers(1, 5), OWED),
        max_size=40,
        unique_by=lambda r: r.key,
    ),
    most_rows=st.integers(1, 10),
    window=st.sampled_from([3_000, 5_000, 50_000]),
)
def test_every_row_is_in_exactly_one_pack_that_fits(rows, most_rows, window):
    model = Model("m", window=window, max_output=100_000)

    made = list(packs(rows, REGISTRY, model, most_rows))

    assert sorted(row.key for pack in made for row in pack.rows) == sorted(row.key for row in rows)
    for pack in made:
        assert 1 <= len(pack.rows) <= most_rows
        assert {frozenset(row.owed) for row in pack.rows} == {frozenset(pack.questions.names)}
        assert pack.input_tokens + pack.output_limit <= window or len(pack.rows) == 1


def test_rows_that_arrived_together_are_spread():
    rows = [Row(f"text {n}", None, ("intent",)) for n in range(40)]

    first = next(packs(rows, REGISTRY, Model("m", window=10**6, max_output=10**6), 20))

    assert first.rows != tuple(rows[:20])


def test_the_most_a_call_can_cost_is_more_than_any_usage_of_it():
    model = Model("m", input=1.0, cached=0.1, cache_write=1.25, output=10.0, output_parameter="max_tokens")
    (pack,) = packs([Row("日本語 " * 50, 3, ("intent",))], REGISTRY, model, 20)

    assert pack.most_usd(500) > model.most(pack.input_tokens * 2, 500)
    assert pack.body(500)["max_tokens"] == 500


def test_a_text_that_fills_the_window_does_not_fit():
    assert not fits(Row("word " * 10_000, None, ("intent",)), REGISTRY, Model("m", window=8_000))
