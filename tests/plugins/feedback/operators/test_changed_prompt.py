"""A changed prompt goes live only when it is as right about golden items as what is published, or a person says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from feedback.errors import GateBlocked
from feedback.llm.asking import Asking
from feedback.model import Run, utc_now
from feedback.operators.enrich_operator import EnrichOperator
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.bar import Bar
from feedback.validation.cases import decide
from feedback.validation.golden import GOLDEN_HOLDS
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append
from include.llm import PRICES
from tests.plugins.feedback.llm.conftest import SENTIMENT
from tests.plugins.feedback.llm.items import publish
from tests.plugins.feedback.llm.stand_in import answers

GOLDEN = 60
SUBJECT = answer_subject("sentiment", key=("item_id",), rules=(GOLDEN_HOLDS,), bar=Bar(models=frozenset({"m"})))
WORSE = answers(lambda answer: answer["sentiment"].update(label="positive", score=0.5))


@pytest.fixture(autouse=True)
def golden(warehouse):
    """Sixty items, of each of which a person has said the right answer."""
    texts = [f"It is slow {n}. Really." for n in range(GOLDEN)]
    publish(warehouse, texts)
    golden = {"enrichment": "sentiment", "answer": '"negative"', "author": "ada", "added_at": utc_now()}
    append(warehouse, "ops.golden", [golden | {"item_id": f"itunes:1:{text}"} for text in texts])


@pytest.fixture
def one_run(warehouse, stand_in, monkeypatch):
    """Run ask, validate and publish with a prompt; return the decision."""
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "a-secret-key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))

    def run(number, words):
        run = Run(f"run_{number}", "enrich_feedback", "task")
        enrichment = replace(SENTIMENT, prompt=f"{words}\n{SENTIMENT.prompt}")
        asking = Asking(prices=(PRICES,), model="m", checks=False)
        EnrichOperator(task_id="ask", warehouse=warehouse, enrichments=(enrichment,), asking=asking).work(run, {})
        try:
            ValidateOperator(task_id="validate", subject=SUBJECT, warehouse=warehouse).work(run, {})
        except GateBlocked:
            return "block"
        PublishOperator(task_id="publish", subject=SUBJECT, warehouse=warehouse).work(run, {})
        return "publish"

    return run


def labels(warehouse):
    rows = warehouse.rows("select label, count(*) as n from feedback.sentiment group by label")
    return {row["label"]: row["n"] for row in rows}


def test_a_prompt_that_is_worse_publishes_nothing_now_or_later_until_it_is_mended(warehouse, stand_in, one_run):
    assert one_run(1, "First.") == "publish"

    stand_in.poison["slow"] = WORSE
    assert one_run(2, "Second.") == "block"
    publish(warehouse, ["It is slow again. Really."])
    assert one_run(3, "Second.") == "block"
    broken = warehouse.rows("select distinct rule, failed, total from ops.validations where outcome = 'fail'")
    assert broken == [{"rule": "golden_holds", "failed": GOLDEN, "total": GOLDEN}]
    assert labels(warehouse) == {"negative": GOLDEN}
    (purpose,) = warehouse.rows("select count(*) as n from ops.llm_calls where purpose = 'golden' and run_id = 'run_3'")
    assert purpose["n"] == 0

    stand_in.poison.clear()
    assert one_run(4, "Third.") == "publish"
    assert labels(warehouse) == {"negative": GOLDEN + 1}


def test_what_a_person_accepts_is_what_the_next_one_is_held_to(warehouse, stand_in, one_run):
    one_run(1, "First.")
    stand_in.poison["slow"] = WORSE
    assert one_run(2, "Second.") == "block"
    (case,) = warehouse.rows("select case_id from ops.cases where state = 'open'")
    decide(warehouse, case["case_id"], "accepted", "ada")
    publish(warehouse, ["It is fine again. Really."])
    stand_in.poison["fine"] = WORSE
    PublishOperator(task_id="publish", subject=SUBJECT, warehouse=warehouse).work(
        Run("run_3", "enrich_feedback", "publish"), {}
    )
    assert labels(warehouse) == {"positive": GOLDEN}
    assert one_run(4, "Second.") == "publish"
