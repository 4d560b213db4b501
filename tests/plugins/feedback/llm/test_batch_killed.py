"""Batches and kill -9: whoever dies, and wherever, no text is paid for twice and none is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest

from feedback.llm.asking import Asking
from feedback.llm.batch import Batches
from feedback.llm.batch_session import BatchSession
from feedback.llm.batch_store import BatchStore
from feedback.llm.cascade import Models
from feedback.llm.owed import Shard, read, rows_of, write_down
from feedback.llm.prices import Model
from feedback.llm.service import Endpoint
from feedback.llm.staged import Staging
from feedback.model import Run
from feedback.warehouse.duckdb import DuckDBWarehouse
from include.llm import PRICES
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT

WAITS, DONE = 10, 0
ASKED = (SENTIMENT, INTENT)
TEXTS = [f"The page number {n} is slow. It takes minutes." for n in range(7)]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "openai.resources.batches", "openai.resources.files", "pyarrow", "duckdb"])


def live(path, ddl, url, run_id, dies_at):
    """Do what the task does, in a process that kills itself at its n-th transaction, before or after it."""
    Batches.__init__.__defaults__ = (timedelta(0),)  # what the service does not list was never sent
    warehouse = DuckDBWarehouse(path, ddl)
    transact, moments = warehouse.transact, count()

    def mortal(*arguments):
        for step in (lambda: None, lambda: transact(*arguments)):
            step()
            if next(moments) == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    warehouse.transact = mortal
    run = Run(run_id, "a_dag", "ask")
    asking = Asking(prices=(PRICES,), mode="batch", pack=3)
    endpoint, models = Endpoint("openai_default", url, "key"), Models(Model("m"))
    session = BatchSession(BatchStore(warehouse, run), ASKED, asking, endpoint, models, print)
    write_down(warehouse, ASKED, run, is_offline=False, as_of=None)
    items = read(warehouse, ASKED, Shard(), run)
    if session.advance(rows_of(items)):
        os._exit(WAITS)
    staging = Staging(warehouse, ASKED, run)
    staging.add(items, session.results(rows_of(items)), Shard())
    staging.write()
    session.close()
    os._exit(DONE)


@pytest.fixture
def lives(warehouse, http_server, publish, monkeypatch):
    """Return a function that lives one life and says how it ended."""
    service = BatchStandIn(http_server)
    publish(TEXTS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # or nothing of ours is loaded before a fork

    def one(run_id, dies_at=None):
        process = FORKS.Process(target=live, args=(warehouse.path, warehouse.ddl, service.base_url, run_id, dies_at))
        process.start()
        process.join(60)
        assert process.exitcode in (WAITS, DONE, -signal.SIGKILL)
        return process.exitcode

    return service, one


def test_tasks_that_die_ever_later_pay_for_every_text_once_and_lose_none(lives, warehouse):
    service, live_once = lives
    for dies_at in count():
        ended = live_once(f"run_{dies_at // 3}", dies_at)  # three tries a run
        if ended == WAITS:
            service.finish()
        elif ended == DONE:
            break

    assert dies_at > 10
    assert Counter(service.texts) == Counter(TEXTS)
    assert service.online == []
    last = "select outcome, count(*) as n from staging.asked where run_id = ? group by 1"
    assert warehouse.rows(last, (f"run_{dies_at // 3}",)) == [{"outcome": "staged", "n": 2 * len(TEXTS)}]
    assert warehouse.rows("select count(*) as n from ops.llm_batches where ended_at is null") == [{"n": 0}]
    assert warehouse.rows("select count(*) as n from ops.llm_batch_rows") == [{"n": 0}]
    assert service.files == {}
