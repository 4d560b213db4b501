"""Makes the warehouse ready before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedback.model import Counts, Run
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.validation.sweep import sweep

if TYPE_CHECKING:
    from airflow.sdk import Context


class MigrateOperator(FeedbackOperator):
    """Bring the warehouse to this version's schema, and clear staging of what runs that ended early left there.

    :raises MigrationFailed: the schema stays as it was; the line says where the copy is.
    """

    def work(self, run: Run, context: Context) -> Counts:
        applied = self.warehouse.migrate()
        if applied:
            self.log.info("warehouse: schema moved forward by %s", ", ".join(applied))
        return Counts({"applied": len(applied), "swept": sweep(self.warehouse)})
