"""The operator that looks for what did not happen, and tells Slack what it has not been told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from feedback.model import Counts, Run, utc_now
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.notifications.incidents import is_well
from feedback.notifications.silence import overdue_dag, silent_sources
from feedback.operators.feedback_operator import FeedbackOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class WatchOperator(FeedbackOperator):
    """Open an incident for each source that is silent and for the first Dag where it did not run; end those that are
    over; send what an alert could not.

    :param sources: names, as in ``feedback.items``, of what goes on by itself; none, and no silence is looked for:
        a file that was read once has no age.
    :param as_of: taken as now; the clock where None.
    """

    def __init__(
        self, *, sources: Collection[str], notifier: IncidentNotifier, as_of: datetime | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.sources = sources
        self.notifier = notifier
        self.as_of = as_of

    def work(self, run: Run, context: Context) -> Counts:
        now = self.as_of or utc_now()
        found = {}
        if self.sources:
            found = silent_sources(self.warehouse, self.sources, now, run) | overdue_dag(self.warehouse, now, run)
        for key, trouble in found.items():
            if trouble:
                self.notifier.meet(trouble)
            else:
                is_well(self.warehouse, key)
        silent = [trouble.sentence for trouble in found.values() if trouble]
        return Counts({"silent": len(silent), "told": self.notifier.tell()}, notes=tuple(silent))
