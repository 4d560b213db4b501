"""Scores that a person decides by: exact on small cases, honest where there is little."""

import pytest

from feedback.validation.scores import scores, wilson

RIGHT = {"a": frozenset("x"), "b": frozenset("y"), "c": frozenset("xy")}


def test_counts_what_is_right_what_was_given_and_what_was_missed():
    found = scores(RIGHT, {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("x")}, {})
    assert (found.items, found.right) == (3, 1)
    assert found.precision.value == pytest.approx(2 / 3)
    assert found.recall.value == pytest.approx(2 / 4)
    assert found.f1.value == pytest.approx(4 / 7)
    assert found.f1.low <= found.f1.value <= found.f1.high


def test_tells_flips_for_better_from_flips_for_worse():
    said = {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("y")}
    found = scores(RIGHT, said, {"a": frozenset("y"), "b": frozenset("y"), "c": frozenset("x")})
    assert (found.flips, found.better, found.worse) == (3, 1, 1)


def test_an_empty_answer_to_nothing_is_right():
    found = scores({"a": frozenset()}, {"a": frozenset()}, {})
    assert (found.right, found.f1.value) == (1, 1.0)


def test_without_an_answered_golden_item_there_are_no_scores():
    assert scores(RIGHT, {}, {}) is None


def test_three_items_are_not_sure_of_anything():
    assert wilson(3, 3).low < 0.5
    assert wilson(300, 300).low > 0.98
    assert wilson(0, 0).low == 0.0
