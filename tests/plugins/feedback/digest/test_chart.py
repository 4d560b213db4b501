from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.digest.chart import nice, short, spark, stacked

counts = st.lists(st.integers(min_value=0, max_value=10**15), min_size=1, max_size=12)


@given(st.lists(counts, min_size=1, max_size=4).filter(lambda rows: len({len(row) for row in rows}) == 1))
def test_stacked_bars_stay_in_the_box_and_on_each_other(rows):
    chart = stacked([(str(kind), row) for kind, row in enumerate(rows)], ["week"] * len(rows[0]), 720, 200)

    assert all(bar.y >= -0.01 and bar.y + bar.height <= chart.height + 0.02 for bar in chart.bars)
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)


@given(counts)
def test_sparks_stay_in_the_box(values):
    chart = spark(values, ["week"] * len(values), max(values))

    assert all(0 <= bar.y <= chart.height for bar in chart.bars)


def test_nothing_to_draw_is_an_empty_chart():
    assert stacked([], [], 720, 200).bars == ()
    assert spark([], [], 0).bars == ()


@given(st.floats(min_value=1e-9, max_value=1e18))
def test_an_axis_ends_at_or_above_the_greatest_value(most):
    assert most <= nice(most) <= 10 * most


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7, "7"),
        (0.5, "0.5"),
        (9_999, "9,999"),
        (12_400, "12.4k"),
        (3_100_000, "3.1M"),
        (2e9, "2B"),
        (4e15, "4,000T"),
    ],
)
def test_numbers_fit_a_tile(number, text):
    assert short(number) == text
