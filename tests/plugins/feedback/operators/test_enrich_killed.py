"""A task that its supervisor ends while it asks: it pays no more, and what it has paid is kept."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from feedback.llm.asking import Asking
from feedback.model import Run
from feedback.operators.enrich_operator import EnrichOperator
from include.enrichments import ENRICHMENTS
from include.llm import PRICES
from tests.plugins.feedback.llm.items import publish

ROOT = Path(__file__).parents[4]
TEXTS = [f"The page number {n} is slow. It takes minutes." for n in range(100)]
IN_FLIGHT = 8
TASK = f"""
import signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "plugins")!r}]
from pathlib import Path
from types import SimpleNamespace
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.operators.test_enrich_killed import operator

task = operator(DuckDBWarehouse(Path(sys.argv[1]), Path(sys.argv[2])))
signal.signal(signal.SIGTERM, lambda number, frame: task.on_kill())  # as Airflow's task runner does
task.execute({{"ti": SimpleNamespace(run_id="run_1", dag_id="enrich_feedback", task_id="ask")}})
"""


def operator(warehouse):
    journal = warehouse.path.parent / "journal"
    asking = Asking(prices=(PRICES,), model="m", pack=2, checks=False, concurrency=IN_FLIGHT, journal=journal)
    return EnrichOperator(task_id="ask", warehouse=warehouse, enrichments=ENRICHMENTS, asking=asking)


@pytest.fixture
def service(stand_in, monkeypatch):
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "key"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    return stand_in


@pytest.fixture
def end(service, warehouse):
    """Return a function that ends a task while it asks, by a signal; it returns when that was, and when it asked."""
    publish(warehouse, TEXTS)

    def one(how):
        asked_at = []

        def slowly(body, rows):
            asked_at.append(time.monotonic())
            time.sleep(0.2)

        service.poison = {"page": slowly}
        command = [sys.executable, "-c", TASK, str(warehouse.path), str(warehouse.ddl)]
        task = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        while len(asked_at) < 24:
            assert task.poll() is None, task.communicate()
            time.sleep(0.01)
        ended_at = time.monotonic()
        task.send_signal(how)
        task.communicate(timeout=60)
        service.poison = {}
        assert task.returncode != 0
        return ended_at, asked_at

    return one


def test_a_task_that_is_ended_stops_asking_within_two_seconds_and_keeps_every_answer(end, warehouse):
    ended_at, asked_at = end(signal.SIGTERM)

    assert max(asked_at) < ended_at + 2
    ended = dict(Counter(row["status"] for row in warehouse.rows("select status from ops.llm_calls")))
    assert ended["settled"] >= 24 - IN_FLIGHT
    assert sum(ended.values()) - ended["settled"] <= IN_FLIGHT


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_after_its_end_only_what_was_in_flight_is_paid_again(end, service, warehouse, how):
    end(how)

    counts = operator(warehouse).work(Run("run_1", "enrich_feedback", "ask"), {}).as_dict()

    assert (counts["staged"], counts["pending"]) == (len(TEXTS) * 4, 0)
    paid_again = sum(len(pack) for pack in service.packs) - len(TEXTS)
    assert paid_again <= IN_FLIGHT * 2
    calls = warehouse.rows("select status, sum(row_count) as n from ops.llm_calls group by 1")
    assert {row["status"]: row["n"] for row in calls}.get("intent", 0) == 0
    # What was noted and not sent any more when the end came counts as well.
    assert 0 <= sum(row["n"] for row in calls) - sum(len(pack) for pack in service.packs) <= IN_FLIGHT * 2
