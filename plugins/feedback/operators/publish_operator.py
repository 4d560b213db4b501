"""The operator that shows the world what passed its gate."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from feedback.model import Counts, Run
from feedback.notifications.incidents import recover
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.validation import cases
from feedback.validation.publication import publish
from feedback.validation.subject import Subject
from feedback.validation.withdrawal import withdraw

if TYPE_CHECKING:
    from airflow.sdk import Context

WARNINGS = """
    select rule, failed, total from ops.validations
    where run_id = ? and subject = ? and severity <> 'critical' and outcome = 'fail' order by rule
"""


class PublishOperator(FeedbackOperator):
    """Publish what this run staged and what people have accepted since; tell its assets the counts.

    One transaction a run: killed in its middle, nothing of it happened, and the next attempt does it once.
    Items whose source has them no more are taken back, with all that was said about them.

    :param subject: what is published.
    """

    def __init__(self, *, subject: Subject, **kwargs: Any):
        super().__init__(**kwargs)
        self.subject = subject

    def work(self, run: Run, context: Context) -> Counts:
        counts: Counter[str] = Counter()
        for run_id in dict.fromkeys((*cases.accepted_runs(self.warehouse, self.subject), run.run_id)):
            counts.update(publish(self.warehouse, self.subject, run_id))
        if self.subject.kind == "items":
            counts["withdrawn"] = withdraw(self.warehouse, self.subject)
        warnings = self.warehouse.rows(WARNINGS, (run.run_id, self.subject.name))
        notes = tuple(f"{row['rule']} {row['failed']}/{row['total']}" for row in warnings)
        for asset in self.outlets if "outlet_events" in context else ():
            context["outlet_events"][asset].extra = {**counts, "warnings": list(notes)}
        recover(self.warehouse, run)
        return Counts(dict(counts), notes=notes)
