"""The asking task in mode batch: it leaves its worker while a batch is out, and whoever goes on stages the answers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred

from feedback.llm.asking import Asking
from feedback.model import utc_now
from feedback.operators.enrich_operator import EnrichOperator
from feedback.warehouse.merge import append
from include.llm import PRICES
from tests.plugins.feedback.llm import stand_in as faults
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT
from tests.plugins.feedback.llm.items import publish

CONTEXT = {"ti": SimpleNamespace(run_id="run_1", dag_id="enrich_feedback", task_id="ask")}


@pytest.fixture
def service(http_server, monkeypatch):
    service = BatchStandIn(http_server)
    connection = {"conn_type": "openai", "host": service.base_url, "password": "a-secret-key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    return service


@pytest.fixture
def operator(warehouse):
    """Return the task as each worker makes it."""

    def make(mode="batch"):
        asking = Asking(prices=(PRICES,), mode=mode, model="m", pack=2)
        return EnrichOperator(task_id="ask", warehouse=warehouse, enrichments=(SENTIMENT, INTENT), asking=asking)

    return make


def defer(task):
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(CONTEXT)
    return deferred.value


def test_a_task_defers_while_its_batch_is_out_and_goes_on_with_what_has_landed(operator, service, warehouse):
    publish(warehouse, ["One is slow. Really.", "Two is slow. Really.", "Three is slow. Really."])

    deferred = defer(operator())
    service.finish()
    counts = getattr(operator(), deferred.method_name)(CONTEXT, event={"anything": 1})

    path, kwargs = deferred.trigger.serialize()
    assert (path, kwargs["batch_ids"]) == ("feedback.triggers.batch_trigger.BatchTrigger", ["batch-1"])
    assert "a-secret-key" not in json.dumps(kwargs)
    assert {name: counts[name] for name in ("owed", "asked", "staged", "pending", "calls")} == {
        "owed": 6,
        "asked": 6,
        "staged": 6,
        "pending": 0,
        "calls": 2,
    }
    assert warehouse.rows("select outcome from ops.task_runs") == [{"outcome": "success"}]


def make_golden(warehouse):
    (first, *_) = warehouse.rows("select item_id from feedback.items order by item_id")
    golden = {"enrichment": "sentiment", "answer": '"negative"', "author": "ada", "added_at": utc_now()}
    append(warehouse, "ops.golden", [golden | first])


def test_golden_items_are_asked_online_once_before_the_batch_is_sent(operator, service, warehouse):
    publish(warehouse, ["One is slow. Really.", "Two is slow. Really."])
    make_golden(warehouse)

    defer(operator())
    service.finish()
    counts = operator().execute(CONTEXT)

    purposes = "select purpose, mode, count(*) as n from ops.llm_calls group by purpose, mode order by mode"
    batch, online = warehouse.rows(purposes)
    assert online == {"purpose": "golden", "mode": "online", "n": 1}
    assert (counts["golden_calls"], counts["calls"], counts["staged"]) == (1, batch["n"], 4)
    assert warehouse.rows("select count(*) as n from ops.golden_answers") == [{"n": 1}]


@pytest.mark.parametrize("mode", ["batch", "online"])
def test_what_became_golden_while_it_was_in_the_batch_is_known_from_it_and_not_paid_twice(
    operator, service, warehouse, mode
):
    publish(warehouse, ["One is slow. Really.", "Two is slow. Really."])
    defer(operator())
    make_golden(warehouse)
    defer(operator(mode))
    service.finish()
    counts = operator(mode).execute(CONTEXT)

    assert service.online == []
    assert (counts["golden_calls"], counts["staged"]) == (0, 4)
    assert warehouse.rows("select count(*) as n from ops.golden_answers") == [{"n": 1}]


def test_what_became_golden_and_was_not_in_the_batch_is_asked_when_it_has_landed(operator, service, warehouse):
    publish(warehouse, ["One is slow. Really.", "Two is slow. Really."])
    defer(operator())
    make_golden(warehouse)
    warehouse.transact(["update feedback.items set content_hash = 'new' where text like 'One%'"])
    defer(operator())
    assert service.online == []
    service.finish()
    counts = operator().execute(CONTEXT)

    assert counts["golden_calls"] == 1
    assert warehouse.rows("select content_hash from ops.golden_answers") == [{"content_hash": "new"}]


def test_a_task_that_is_tried_again_defers_to_the_same_batch(operator, service, warehouse):
    publish(warehouse, ["One is slow. Really."])

    assert defer(operator()).trigger.batch_ids == defer(operator()).trigger.batch_ids
    assert len(service.batches) == 1


def test_with_nothing_owed_and_nothing_out_nobody_is_called(operator, service):
    service.before = lambda request: pytest.fail("it was called")

    assert operator().execute(CONTEXT)["owed"] == 0


def test_a_batch_is_landed_though_nothing_is_owed_any_more_so_that_every_cent_is_explained(
    operator, service, warehouse
):
    publish(warehouse, ["One is slow. Really."])
    defer(operator())
    warehouse.transact(["delete from feedback.items"])
    service.finish()

    assert operator().execute(CONTEXT)["owed"] == 0
    assert warehouse.rows("select status, input_tokens from ops.llm_calls") == [
        {"status": "settled", "input_tokens": 100}
    ]


@pytest.mark.parametrize(("fault", "error"), [(401, AirflowFailException), (429, AirflowException)])
def test_a_bad_key_fails_at_once_and_a_full_queue_is_tried_again(operator, service, warehouse, fault, error):
    publish(warehouse, ["One is slow. Really."])
    service.refusals = [faults.status(fault)({}, [])]

    with pytest.raises(AirflowException) as failed:
        operator().execute(CONTEXT)

    assert type(failed.value) is error


def test_another_mode_ends_a_batch_that_hangs_and_asks_online(operator, service, warehouse):
    publish(warehouse, ["One is slow. Really.", "Two is slow. Really.", "Three is slow. Really."])
    defer(operator())

    assert defer(operator("online")).trigger.batch_ids == ("batch-1",)
    service.finish("cancelled", done=1)
    counts = operator("online").execute(CONTEXT)

    assert (counts["staged"], counts["pending"], len(service.texts), len(service.online)) == (6, 0, 2, 1)
