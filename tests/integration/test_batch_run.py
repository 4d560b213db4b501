"""`make run` in mode batch, through Airflow itself: stopped while it waits, followed by the next, paid for once."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass

import pytest
from pytest_httpserver import HTTPServer

from tests.integration.company import Ended, Home, Words, model, wait_until
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Batched:
    home: Home
    service: BatchStandIn
    stopped: Ended
    landed: Ended


@pytest.fixture(scope="module")
def batched(tmp_path_factory):
    """One run stopped by Ctrl-C while its batch is out, and one that sees it land."""
    folder = tmp_path_factory.mktemp("batch")
    home = Home(folder / "home", Words(folder, threads=6, reviews=3))
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        service = BatchStandIn(server)
        variables = model(service.base_url, FEEDBACK_LLM_MODE="batch", FEEDBACK_LLM_PACK="2")
        looks: list[str] = []
        service.before = lambda request: looks.append(request.path) if "batch-1" in request.path else None
        process = home.start(**variables)
        wait_until(lambda: looks, process)
        process.send_signal(signal.SIGINT)
        stopped = home.wait(process)

        # The second run's task looks once, and what waits for it sees the end.
        service.before = lambda request: service.finish() if looks.append("") or len(looks) == 3 else None
        yield Batched(home, service, stopped, home.run(**variables))


def test_ctrl_c_while_a_batch_is_out_leaves_it_out(batched):
    assert (batched.stopped.status, batched.stopped.err.count("\n")) == (130, 1)
    assert "/v1/batches/batch-1/cancel" not in [request.path for request, _ in batched.service._server.log]


def test_the_batch_of_a_run_that_is_gone_is_followed_landed_and_published(batched):
    assert batched.landed.status == 0, batched.landed.err
    assert "batch batch-1 is out: 0 of 5 requests done" in batched.landed.out
    assert "batch batch-1 landed: 5 of 5 requests done, US$ 0.0000" in batched.landed.out
    assert batched.home.rows("select status, count(*) from ops.answers group by 1") == [("answered", 36)]
    assert batched.home.rows("select count(*) from staging.asked where outcome <> 'pending'") == [(0,)]


def test_every_text_is_paid_for_once_and_none_online(batched):
    assert len(batched.service.batches) == 1
    assert set(Counter(batched.service.texts).values()) == {1}
    assert batched.service.online == []


def test_no_word_of_a_customer_stays_at_the_service(batched):
    assert batched.service.files == {}
