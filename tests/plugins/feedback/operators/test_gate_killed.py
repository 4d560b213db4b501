"""kill -9 at the seams of the gate: done again, everything ends as if nothing had happened, and once."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from feedback.errors import GateBlocked
from feedback.model import Run, utc_now
from feedback.notifications import untold
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.watch_operator import WatchOperator
from feedback.warehouse.merge import append
from tests.plugins.feedback.notifications.slack_channel import served
from tests.plugins.feedback.notifications.test_incident_notifier import failed
from tests.plugins.feedback.operators.test_publish_operator import item
from tests.plugins.feedback.operators.test_validate_operator import answer, operator, propose

ROOT = Path(__file__).resolve().parents[4]
CHILD = """
import os, signal, sys
sys.path[:0] = ["plugins", "."]
from pathlib import Path
from feedback.model import Run
from feedback.operators.publish_operator import PublishOperator
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.operators.test_validate_operator import operator

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

warehouse = DuckDBWarehouse(Path(sys.argv[1]), Path("include/sql/ddl"))
run = Run("run_1", "a_dag", "a_task")
validate = operator(warehouse)
validate.work(run, {})
if sys.argv[2] == "after the publish":
    import feedback.operators.publish_operator as module
    module.recover = die
    PublishOperator(task_id="publish", subject=validate.subject, warehouse=warehouse).work(run, {})
die()
"""


@pytest.mark.parametrize("when", ["before the publish", "after the publish"])
def test_a_killed_task_is_done_again_without_loss_or_double(warehouse, run, when):
    rows = [{name: value for name, value in item(n).items() if name != "has_personal_data"} for n in range(5)]
    append(warehouse, "feedback.items", [row | {"first_run_id": "r", "run_id": "r"} for row in rows])
    propose(warehouse, run, [*(answer(n) for n in range(4)), answer(4, label="furious")])
    done = subprocess.run([sys.executable, "-c", CHILD, str(warehouse.path), when], cwd=ROOT, env=env(), check=False)
    assert done.returncode == -signal.SIGKILL
    validate = operator(warehouse)
    for _ in range(2):
        validate.work(run, {})
        PublishOperator(task_id="publish", subject=validate.subject, warehouse=warehouse).work(run, {})
    published = warehouse.rows("select item_id from feedback.sentiment order by item_id")
    assert [row["item_id"] for row in published] == [f"slack:T:C:{n}" for n in range(4)]
    quarantined = warehouse.rows("select item_id, rule, status, evidence is not null as kept from ops.quarantine")
    assert [tuple(row.values()) for row in quarantined] == [("slack:T:C:4", "label_known", "open", True)]
    assert warehouse.rows("select count(*) as n from staging.rejects") == [{"n": 0}]


BLOCKED = """
import os, signal, sys
sys.path[:0] = ["plugins", "."]
from pathlib import Path
from feedback.errors import GateBlocked
from feedback.model import Run
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.operators.test_validate_operator import operator

try:
    operator(DuckDBWarehouse(Path(sys.argv[1]), Path("include/sql/ddl"))).work(Run("run_1", "a_dag", "a_task"), {})
except GateBlocked:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_task_killed_between_its_block_and_its_alert_is_told_of_once(warehouse, run, tmp_path, monkeypatch):
    monkeypatch.setattr(untold, "AT_WORK", timedelta(0))
    done = {"run_id": run.run_id, "dag_id": "a_dag", "task_id": "ask", "outcome": "success", "counts": {}}
    append(warehouse, "ops.task_runs", [done | {"started_at": utc_now(), "finished_at": utc_now()}])
    propose(warehouse, run, [answer(n, label="furious") for n in range(9)])
    killed = subprocess.run([sys.executable, "-c", BLOCKED, str(warehouse.path)], cwd=ROOT, env=env(), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert warehouse.rows("select * from ops.incidents") == []
    gate = operator(warehouse)
    with served() as channel:
        notifier = IncidentNotifier(
            warehouse=warehouse, folder=tmp_path / "alerts", channel="C1", client=channel.client
        )
        watch = WatchOperator(
            task_id="watch", sources=(), subjects=(gate.subject,), notifier=notifier, warehouse=warehouse
        )
        for _ in range(2):
            watch.work(Run("run_2", "triage_digest", "watch"), {})
        with pytest.raises(GateBlocked) as again:
            gate.work(run, {})
        notifier(failed(again.value, "sentiment.validate", run.run_id, dag_id="a_dag", task=gate))
        (message,) = channel.roots
    assert (
        "a_dag did not publish sentiment: sentiment label_known 9/9; sentiment set_aside_share 9/9" in message["text"]
    )
    assert warehouse.rows("select key, state, count from ops.incidents") == [
        {"key": "a_dag/blocked/label_known,set_aside_share", "state": "open", "count": 1}
    ]


def env():
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
