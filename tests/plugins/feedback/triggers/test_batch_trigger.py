"""What waits in the triggerer: it fires when there is something to do, carries no secret, and cancels when told to."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from airflow.sdk.module_loading import import_string

from feedback.model import utc_now
from feedback.triggers.batch_trigger import BatchTrigger
from tests.plugins.feedback.llm import stand_in as faults
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn


@pytest.fixture
def service(http_server, monkeypatch):
    service = BatchStandIn(http_server)
    connection = {"conn_type": "openai", "host": service.base_url, "password": "a-secret-key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    for number in (1, 2):
        service.batches[f"batch-{number}"] = {"id": f"batch-{number}", "status": "in_progress"}
    return service


def trigger(until=timedelta(hours=1), conn_id="openai_default"):
    """A trigger as the triggerer makes it."""
    path, kwargs = BatchTrigger(
        conn_id=conn_id,
        batch_ids=("batch-1", "batch-2"),
        until=(utc_now() + until).isoformat(),
        poll_s=0.01,
    ).serialize()
    assert "a-secret-key" not in json.dumps(kwargs)
    return import_string(path)(**json.loads(json.dumps(kwargs)))


def events(waiting):
    async def collect():
        return [event.payload async for event in waiting.run()]

    return asyncio.run(collect())


def looked(service, *steps):
    """Do one step at each look of the trigger."""
    looks = iter(steps)
    service.before = lambda request: next(looks, lambda: None)()


def test_fires_once_when_the_last_batch_is_over_whatever_the_service_does_until_then(service):
    def end(number, status):
        return lambda: service.batches[f"batch-{number}"].update(status=status)

    def away():
        service._batches, kept = lambda request, path: faults.status(503)({}, []), service._batches
        looked(service, lambda: setattr(service, "_batches", kept), end(2, "expired"))

    looked(service, end(1, "completed"), away)

    assert events(trigger()) == [{"batch_ids": ["batch-1", "batch-2"]}]
    assert {batch["status"] for batch in service.batches.values()} == {"completed", "expired"}


def test_fires_when_its_time_has_come(service):
    assert len(events(trigger(until=timedelta(seconds=-1)))) == 1


@pytest.mark.parametrize("conn_id", ["openai_default", "a_connection_that_is_gone"])
def test_fires_at_once_where_waiting_would_not_help_so_that_the_task_says_why(service, conn_id):
    service._batches = lambda request, path: faults.status(401)({}, [])

    assert len(events(trigger(conn_id=conn_id))) == 1


def test_a_batch_that_the_service_knows_no_more_is_not_waited_for(service):
    service.batches.clear()

    assert len(events(trigger())) == 1


def test_a_person_who_ends_the_task_ends_the_paying(service):
    service.batches["batch-1"]["status"] = "completed"

    asyncio.run(trigger().on_kill())

    assert {batch["status"] for batch in service.batches.values()} == {"completed", "cancelling"}
