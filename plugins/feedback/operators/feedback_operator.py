"""The base of our operators: one warehouse, one line about what went wrong, one row about what was done."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from feedback.errors import FeedbackError, GateBlocked, WarehouseError
from feedback.model import Counts, Run, utc_now

if TYPE_CHECKING:
    from airflow.sdk import Context

    from feedback.warehouse.base import Warehouse


class FeedbackOperator(BaseOperator):
    """Do one step on the warehouse and return what it counted.

    A subclass implements ``work``. An error of ours becomes Airflow's: tried again where a retry may
    help, failed at once where the same input would fail the same way. Its line holds no customer text.
    Each task leaves its counts in ``ops.task_runs``, where reports read them.
    """

    def __init__(self, *, warehouse: Warehouse, **kwargs: Any):
        super().__init__(**kwargs)
        self.warehouse = warehouse

    def work(self, run: Run, context: Context) -> Counts:
        """Do the step and say what was counted."""
        raise NotImplementedError

    def execute(self, context: Context) -> dict[str, Any]:
        ti = context["ti"]
        run = Run(run_id=ti.run_id, dag_id=ti.dag_id, task_id=ti.task_id)
        started = utc_now()
        try:
            counts = self.work(run, context).as_dict()
        except FeedbackError as error:
            outcome = "blocked" if isinstance(error, GateBlocked) else "failed"
            self.log.error("%s.%s: %s", run.dag_id, run.task_id, error)
            if not isinstance(error, WarehouseError):
                self._record(run, outcome, str(error), {}, started)
            airflow_error = AirflowException if error.retryable else AirflowFailException
            raise airflow_error(str(error)) from None
        self._record(run, "success", None, counts, started)
        return counts

    def _record(self, run: Run, outcome: str, message: str | None, counts: dict[str, Any], started: datetime) -> None:
        key = (run.run_id, run.dag_id, run.task_id)
        self.warehouse.transact(
            [
                ("delete from ops.task_runs where run_id = ? and dag_id = ? and task_id = ?", key),
                (
                    "insert into ops.task_runs select ?, ?, ?, ?, ?, parse_json(?), ?, ?",
                    (*key, outcome, message, json.dumps(counts), started, utc_now()),
                ),
            ]
        )
