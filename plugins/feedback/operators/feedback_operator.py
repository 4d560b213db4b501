"""The base of our operators: one warehouse, one line about what went wrong, one row about what was done."""

from __future__ import annotations

import contextlib
import json
import traceback
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from feedback.errors import FeedbackError, RunIncomplete, WarehouseError
from feedback.model import Counts, Run, utc_now
from feedback.notifications.incidents import well_again

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
        self._is_at_work = False

    def work(self, run: Run, context: Context) -> Counts:
        """Do the step and say what was counted."""
        raise NotImplementedError

    def execute(self, context: Context) -> dict[str, Any]:
        ti = context["ti"]
        run = Run(run_id=ti.run_id, dag_id=ti.dag_id, task_id=ti.task_id)
        started = utc_now()
        self._is_at_work = True
        try:
            counts = self.work(run, context).as_dict()
        except FeedbackError as error:
            if not isinstance(error, RunIncomplete):
                self.log.error("%s.%s: %s", run.dag_id, run.task_id, error)
            with contextlib.suppress(WarehouseError):
                self._record(run, error.outcome, str(error), {}, started)
            airflow_error = AirflowException if error.retryable else AirflowFailException
            raise airflow_error(str(error)) from None
        except AirflowException:
            raise
        except Exception as error:  # noqa: BLE001 - its text might quote a customer, so it goes no further
            raise self._unexpected(run, error, started) from None
        finally:
            self._is_at_work = False
        self._record(run, "success", None, counts, started)
        return counts

    def on_kill(self) -> None:
        """End the work where it stands: what was paid is written before the process goes. Ended work is left alone."""
        if self._is_at_work:
            raise KeyboardInterrupt

    def _unexpected(self, run: Run, error: Exception, started: datetime) -> AirflowException:
        """Return what to raise for an error that is not ours: its place, never its text, which may quote a customer."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        line = f"unexpected {type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        self.log.error(
            f"{run.dag_id}.{run.task_id}: {line}", traceback="".join(traceback.format_tb(error.__traceback__))
        )
        with contextlib.suppress(WarehouseError):
            self._record(run, "failed", line, {}, started)
        return AirflowException(line)

    def _record(self, run: Run, outcome: str, message: str | None, counts: dict[str, Any], started: datetime) -> None:
        key = (run.run_id, run.dag_id, run.task_id)
        self.warehouse.transact(
            [
                *([well_again(run)] if outcome == "success" else []),
                ("delete from ops.task_runs where run_id = ? and dag_id = ? and task_id = ?", key),
                (
                    "insert into ops.task_runs select ?, ?, ?, ?, ?, parse_json(?), ?, ?",
                    (*key, outcome, message, json.dumps(counts), started, utc_now()),
                ),
            ]
        )
