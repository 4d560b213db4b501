"""Agreement with golden answers, stated with its uncertainty."""

from __future__ import annotations

import pytest

from feedback.llm.golden import Agreement, agreements


def golden(item, enrichment, answer):
    return {"item_id": item, "enrichment": enrichment, "answer": answer}


def test_counts_only_what_is_answered():
    rows = [golden("1", "intent", "praise"), golden("2", "intent", "Question"), golden("3", "intent", "praise")]

    found = agreements(rows, {("1", "intent"): ["praise"], ("2", "intent"): ["question"]})

    assert found == {"intent": Agreement("intent", 2, 2)}


@pytest.mark.parametrize(
    ("answered", "agreed"),
    [(["search", "performance"], 1), (["performance"], 0), ([], 0), (["search", "performance", "x"], 0)],
)
def test_a_set_agrees_if_it_is_the_same_set(answered, agreed):
    rows = [golden("1", "area", ["performance", "search"])]

    assert agreements(rows, {("1", "area"): answered})["area"].agreed == agreed


def test_nothing_agrees_with_nothing():
    assert agreements([golden("1", "mentions", [])], {("1", "mentions"): []})["mentions"].agreed == 1


@pytest.mark.parametrize(("n", "agreed", "bound"), [(50, 45, 0.786), (50, 50, 0.929), (1, 1, 0.207), (0, 0, 0.0)])
def test_the_lower_bound_is_wilsons(n, agreed, bound):
    assert Agreement("intent", n, agreed).lower_bound == pytest.approx(bound, abs=0.001)
