"""What a prompt and a model are held to about golden items: what is published, or a number, or nothing."""

import json
from dataclasses import replace

import pytest

from feedback.model import utc_now
from feedback.validation.bar import Bar
from feedback.validation.golden import standing
from feedback.validation.scores import wilson
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append
from tests.plugins.feedback.digest.seeded import answer

BAR = Bar(models=frozenset({"a-model"}), unheard=frozenset({"sample"}))
SUBJECT = answer_subject("sentiment", key=("item_id",), rules=(), bar=BAR)
NOW, BEFORE = ("new", "a-model"), ("old", "a-model")


def golden(warehouse, number, author="ada"):
    about = {"enrichment": "sentiment", "answer": '"positive"', "author": author, "added_at": utc_now()}
    append(warehouse, "ops.golden", [about | {"item_id": f"i{n}"} for n in range(number)])


def answered(warehouse, pair, right, wrong, *, first=0):
    about = {"enrichment": "sentiment", "content_hash": "h", "run_id": "r", "answered_at": utc_now()}
    about |= {"prompt_version": pair[0], "model": pair[1]}
    said = [["Positive"]] * right + [["negative"]] * wrong
    rows = [about | {"item_id": f"i{n}", "answer": answer} for n, answer in enumerate(said, first)]
    append(warehouse, "ops.golden_answers", rows)


def publish(warehouse, pair, number, **columns):
    about = {"label": "positive", "score": 0.5, "prompt_version": pair[0], "model": pair[1]} | columns
    rows = [answer(f"published{n}", **about) for n in range(number)]
    append(warehouse, "feedback.sentiment", rows)


def test_what_is_as_right_as_what_is_published_holds(warehouse):
    golden(warehouse, 100)
    publish(warehouse, BEFORE, 9)
    answered(warehouse, BEFORE, 90, 10)
    answered(warehouse, NOW, 88, 12)
    found = standing(warehouse, SUBJECT, NOW)
    assert (found.items, found.right, found.holds) == (100, 88, True)
    assert found.share == wilson(88, 100)


def test_what_is_clearly_worse_does_not(warehouse):
    golden(warehouse, 100)
    publish(warehouse, BEFORE, 9)
    answered(warehouse, BEFORE, 90, 10)
    answered(warehouse, NOW, 70, 30)
    assert not standing(warehouse, SUBJECT, NOW).holds


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_no_more_is_demanded_than_what_may_be_true_of_the_published_version(n):
    for hits in range(n + 1):
        before = wilson(hits, n)
        bound = BAR.height("a-model", n, before)
        assert wilson(hits, n).low >= bound
        clearly_worse = max(0, round(n * (before.low - (before.value - before.low))) - 1)
        assert hits == 0 or before.low <= 0.1 or wilson(clearly_worse, n).low < bound


def test_only_items_that_both_were_asked_are_compared(warehouse):
    golden(warehouse, 200)
    publish(warehouse, BEFORE, 9)
    answered(warehouse, BEFORE, 60, 0)
    answered(warehouse, NOW, 60, 140)
    found = standing(warehouse, SUBJECT, NOW)
    assert (found.items, found.right, found.holds) == (60, 60, True)


@pytest.mark.parametrize(
    "missing",
    ["few", "nothing published", "published by itself", "unknown model", "golden of the sample", "never compared"],
)
def test_where_too_little_is_known_nothing_is_demanded(warehouse, missing):
    golden(warehouse, 49 if missing == "few" else 60, "sample" if missing == "golden of the sample" else "ada")
    if missing != "nothing published":
        publish(warehouse, NOW if missing == "published by itself" else BEFORE, 9)
    if missing != "never compared":
        answered(warehouse, BEFORE, 60, 0)
    answered(warehouse, NOW, 0, 60)
    bar = replace(BAR, models=frozenset()) if missing == "unknown model" else BAR
    found = standing(warehouse, replace(SUBJECT, bar=bar), NOW)
    assert found is None if missing == "golden of the sample" else found.bound is None


def test_a_number_counts_in_place_of_what_is_published(warehouse):
    golden(warehouse, 60)
    publish(warehouse, BEFORE, 9)
    answered(warehouse, BEFORE, 0, 60)
    answered(warehouse, NOW, 30, 30)
    subject = replace(SUBJECT, bar=replace(BAR, least={"a-model": 0.6}))
    found = standing(warehouse, subject, NOW)
    assert (found.bound, found.holds) == (0.6, False)


def test_what_people_corrected_is_nobodys_wording(warehouse):
    """Corrections are published under the wording that was wrong: they are not what the next one is held to."""
    golden(warehouse, 60)
    publish(warehouse, BEFORE, 9, decided_by="human")
    answered(warehouse, BEFORE, 60, 0)
    answered(warehouse, NOW, 0, 60)
    assert standing(warehouse, SUBJECT, NOW).bound is None


def test_an_answer_that_could_not_be_used_is_wrong_even_where_nothing_is_right(warehouse):
    area = answer_subject("area", key=("item_id", "label"), rules=())
    about = {"item_id": "i", "enrichment": "area"}
    append(warehouse, "ops.golden", [about | {"answer": "[]", "author": "ada", "added_at": utc_now()}])
    about |= {"content_hash": "h", "run_id": "r", "answered_at": utc_now(), "prompt_version": "new"}
    rows = [about | {"model": "a", "answer": json.dumps([])}, about | {"model": "b", "answer": None}]
    append(warehouse, "ops.golden_answers", rows)
    assert [standing(warehouse, area, ("new", model)).right for model in "ab"] == [1, 0]
