"""The way out of quarantine: released, corrected, dropped or asked again, each with its author."""

import json

import pytest

from feedback.errors import InputRefused
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation import review
from feedback.warehouse.merge import append
from tests.plugins.feedback.operators.test_publish_operator import item
from tests.plugins.feedback.operators.test_validate_operator import answer, operator, propose


@pytest.fixture
def subject(warehouse):
    return operator(warehouse).subject


@pytest.fixture
def set_aside(warehouse, run, subject):
    """One of five answers is set aside, with its evidence."""
    staged_only = {"has_personal_data"}
    items = [{k: v for k, v in item(n).items() if k not in staged_only} for n in range(5)]
    append(warehouse, "feedback.items", [row | {"first_run_id": "r", "run_id": "r"} for row in items])
    propose(warehouse, run, [*(answer(n) for n in range(4)), answer(4, label="furious", score=-0.9)])
    operator(warehouse).work(run, {})
    publish(warehouse, run, subject)
    (row,) = review.waiting(warehouse)
    assert (row["rules"], json.loads(row["evidence"])[0]["label"]) == ("label_known", "furious")
    return row


def publish(warehouse, run, subject):
    return PublishOperator(task_id="publish", subject=subject, warehouse=warehouse).work(run, {}).as_dict()


def published(warehouse):
    rows = warehouse.rows("select label, decided_by from feedback.sentiment where item_id = 'slack:T:C:4'")
    return [(row["label"], row["decided_by"]) for row in rows]


def decisions(warehouse):
    rows = warehouse.rows("select item_id, decision, answer, author from ops.decisions")
    return [tuple(row.values()) for row in rows]


def status(warehouse):
    return {row["status"] for row in warehouse.rows("select status from ops.quarantine")}


def test_what_is_released_is_published_by_the_next_run_as_it_is(warehouse, run, subject, set_aside):
    review.release(warehouse, set_aside, subject, "ada")
    assert published(warehouse) == []
    publish(warehouse, run, subject)
    assert published(warehouse) == [("furious", "llm")]
    assert decisions(warehouse) == [("slack:T:C:4", "released", None, "ada")]
    assert (review.waiting(warehouse), status(warehouse)) == ([], {"released"})


def test_a_corrected_answer_is_a_persons_and_golden(warehouse, run, subject, set_aside):
    review.release(warehouse, set_aside, subject, "ada", ["negative"])
    publish(warehouse, run, subject)
    assert published(warehouse) == [("negative", "human")]
    (golden,) = warehouse.rows("select item_id, enrichment, answer, author from ops.golden")
    golden["answer"] = json.loads(golden["answer"])
    assert tuple(golden.values()) == ("slack:T:C:4", "sentiment", "negative", "ada")
    assert decisions(warehouse) == [("slack:T:C:4", "released", "negative", "ada")]


def test_what_is_dropped_stays_aside(warehouse, run, subject, set_aside):
    review.drop(warehouse, set_aside, "ada")
    publish(warehouse, run, subject)
    assert (published(warehouse), status(warehouse), review.waiting(warehouse)) == ([], {"dropped"}, [])
    assert decisions(warehouse) == [("slack:T:C:4", "dropped", None, "ada")]


def test_what_is_to_be_asked_again_is_marked_for_the_next_run(warehouse, run, subject, set_aside):
    review.ask_again(warehouse, set_aside, "ada")
    assert (status(warehouse), review.waiting(warehouse)) == ({"ask_again"}, [])


def test_deciding_twice_publishes_once(warehouse, run, subject, set_aside):
    review.release(warehouse, set_aside, subject, "ada")
    review.release(warehouse, set_aside, subject, "bob", ["mixed"])
    publish(warehouse, run, subject)
    assert published(warehouse) == [("mixed", "human")]


@pytest.mark.parametrize("labels", [[], ["positive", "negative"]])
def test_labels_that_are_no_answer_are_refused(warehouse, subject, set_aside, labels):
    with pytest.raises(InputRefused, match="exactly one label"):
        review.release(warehouse, set_aside, subject, "ada", labels)
    assert decisions(warehouse) == []


def test_a_question_without_any_row_can_only_be_corrected_or_asked_again(warehouse, subject, set_aside):
    with pytest.raises(InputRefused, match="no row to publish"):
        review.release(warehouse, set_aside | {"evidence": None}, subject, "ada")


def test_rows_that_share_a_key_are_published_once(warehouse, run, subject, set_aside):
    twice = json.dumps(json.loads(set_aside["evidence"]) * 2)
    review.release(warehouse, set_aside | {"evidence": twice}, subject, "ada")
    publish(warehouse, run, subject)
    assert len(published(warehouse)) == 1


def test_a_released_item_is_published(warehouse, run):
    from feedback.warehouse.merge import stage
    from include.expectations.items import ITEMS_SUBJECT

    stage(warehouse, "items", [item(n, rating=9 if n == 1 else 5, has_personal_data=False) for n in range(2)], run)
    gate = ValidateOperator(task_id="validate", subject=ITEMS_SUBJECT, warehouse=warehouse)
    assert gate.work(run, {}).as_dict()["set_aside"] == 1
    publish(warehouse, run, ITEMS_SUBJECT)
    (row,) = review.waiting(warehouse)
    review.release(warehouse, row, ITEMS_SUBJECT, "ada")
    publish(warehouse, run, ITEMS_SUBJECT)
    assert warehouse.rows("select item_id from feedback.items where rating = 9") == [{"item_id": "slack:T:C:1"}]
