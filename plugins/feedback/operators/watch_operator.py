"""The operator that looks for what did not happen, and tells Slack what it has not been told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from feedback.model import Counts, Run, utc_now
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.notifications.incidents import is_well
from feedback.notifications.silence import overdue_first, overdue_woken, silent_sources, unposted
from feedback.notifications.untold import untold
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.validation.subject import Subject

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatchOperator(FeedbackOperator):
    """Open an incident for each source that is silent, each Dag that did not run and each channel that takes no digest;
    end those that are over; tell what a task could not that was killed, or that Slack did not take.

    :param sources: names, as in ``feedback.items``, of what goes on by itself; none, and neither silence nor the first
        Dag is looked at: a file that was read once has no age.
    :param subjects: what gates judge.
    :param woken: each Dag that another wakes, and that one with the task that does.
    :param as_of: taken as now; the clock where None.
    """

    def __init__(
        self,
        *,
        sources: Collection[str],
        notifier: IncidentNotifier,
        subjects: Sequence[Subject] = (),
        woken: Mapping[str, tuple[str, str]] | None = None,
        as_of: datetime | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.sources = sources
        self.notifier = notifier
        self.subjects = subjects
        self.woken = woken or {}
        self.as_of = as_of

    def work(self, run: Run, context: Context) -> Counts:
        now = self.as_of or utc_now()
        found = overdue_woken(self.warehouse, self.woken, now, run) | unposted(self.warehouse, run)
        if self.sources:
            found |= silent_sources(self.warehouse, self.sources, now, run) | overdue_first(self.warehouse, now, run)
        for lost in untold(self.warehouse, self.subjects):
            self.notifier.meet(lost)
        for key, trouble in found.items():
            if trouble:
                self.notifier.meet(trouble)
            else:
                is_well(self.warehouse, key)
        silent = [trouble.sentence for trouble in found.values() if trouble]
        return Counts({"silent": len(silent), "told": self.notifier.tell()}, notes=tuple(silent))
