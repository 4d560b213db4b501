"""kill -9 at the seams of the gate: done again, everything ends as if nothing had happened, and once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.operators.publish_operator import PublishOperator
from feedback.warehouse.merge import append
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


def env():
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
