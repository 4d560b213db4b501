"""The operator that fails a run whose sources did not all answer, after everything else is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedback.errors import RunIncomplete
from feedback.model import Counts, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.feedback_operator import FeedbackOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

SUCCEEDED = "select task_id from ops.task_runs where run_id = ? and dag_id = ? and outcome = 'success'"


class SourcesOperator(FeedbackOperator):
    """Fail the run where a source of its Dag was not read, naming it; the source's own task has told why.

    Input that was refused is a warning and fails nothing.
    """

    def work(self, run: Run, context: Context) -> Counts:
        extracts = [task for task in self.dag.tasks if isinstance(task, ExtractOperator)]
        succeeded = {row["task_id"] for row in self.warehouse.rows(SUCCEEDED, (run.run_id, run.dag_id))}
        failed = sorted(task.source.name for task in extracts if task.task_id not in succeeded)
        if failed:
            raise RunIncomplete(
                f"{', '.join(failed)} could not be read; the other sources are published: see the lines of"
                f" {', '.join(f'extract_{name}' for name in failed)}, then clear them"
            )
        return Counts({"sources": len(extracts)})
