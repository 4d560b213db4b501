"""The operator that judges what a run has staged, before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feedback.errors import GateBlocked
from feedback.model import Counts, Run
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.operators.report_link import ReportLink
from feedback.validation.gate import judge
from feedback.validation.report import told
from feedback.validation.rule import Rule
from feedback.validation.share import share_rule
from feedback.validation.subject import Subject

if TYPE_CHECKING:
    from airflow.sdk import Context


class ValidateOperator(FeedbackOperator):
    """Set aside the staged rows that break a critical rule; fail when the batch as a whole may not be published.

    Nothing staged passes at once, without importing Great Expectations. A block opens a case for a person
    and is not tried again: the same rows would fail the same way.

    :param subject: what is judged, and by which rules.
    :param limits: further rules, whose bounds the settings say.
    :param max_quarantined_share: the share of items that may be set aside before the batch is blocked.
    """

    operator_extra_links = (ReportLink(),)

    def __init__(
        self, *, subject: Subject, limits: Sequence[Rule] = (), max_quarantined_share: float = 0.05, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.subject = subject
        self.limits = limits
        self.max_quarantined_share = max_quarantined_share

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What is judged: the subject's rules, the limits, and the share that may be set aside."""
        return (*self.subject.rules, *self.limits, share_rule(self.max_quarantined_share))

    def work(self, run: Run, context: Context) -> Counts:
        judgement = judge(self.warehouse, self.subject, self.rules, run)
        if judgement is None:
            return Counts({"judged": 0, "set_aside": 0}, notes=("nothing staged",))
        if judgement.decision == "block":
            raise GateBlocked(
                f"{self.subject.name} is not published: {'; '.join(map(told, judgement.blockers))};"
                f" the batch of {judgement.total} waits for a decision in ops.cases"
            )
        found = [verdict for verdict in judgement.verdicts if verdict.outcome in ("fail", "error")]
        return Counts(
            {"judged": judgement.total, "set_aside": judgement.set_aside},
            notes=tuple(told(verdict) for verdict in found),
        )
