"""What every operator does when it is told to end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from feedback.model import Counts
from feedback.operators.feedback_operator import FeedbackOperator


class Work(FeedbackOperator):
    """Told to end while it works, or not."""

    is_killed = False

    def work(self, run, context):
        if self.is_killed:
            self.on_kill()
        return Counts({"done": 1})


def context():
    return {"ti": SimpleNamespace(run_id="run_1", dag_id="a_dag", task_id="work")}


def test_work_ends_where_it_stands_when_its_task_is_killed(warehouse):
    operator = Work(task_id="work", warehouse=warehouse)
    operator.is_killed = True
    with pytest.raises(KeyboardInterrupt):
        operator.execute(context())
    assert warehouse.rows("select * from ops.task_runs") == []


def test_work_that_has_ended_is_left_alone_as_after_a_timeout(warehouse):
    operator = Work(task_id="work", warehouse=warehouse)
    operator.on_kill()
    assert operator.execute(context()) == {"done": 1}
    operator.on_kill()
