"""Write the report of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.digest.clock import as_of
from feedback.digest.report import About, write_report
from feedback.model import Counts, Run
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.operators.report_link import ReportLink
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

Agreement = Callable[[Warehouse], Sequence[Mapping[str, Any]]]


class ReportOperator(FeedbackOperator):
    """Write ``index.html`` about what the warehouse holds now; it tells of blocked and failed runs too.

    :param folder: where the page goes.
    :param digest_folder: where the digests lie that it shows.
    :param as_of: taken as now; without it the clock if ``uses_clock``, else the newest item.
    :param agreement: says how often answers agree with the golden file: enrichment, right, total, lower_bound.
    :param hosts: where links may lead beside Slack and the stores.
    """

    operator_extra_links = (ReportLink(),)

    def __init__(
        self,
        *,
        folder: Path,
        digest_folder: Path,
        as_of: datetime | None,
        uses_clock: bool,
        is_sample: bool,
        budget_usd: float,
        budget_usd_day: float,
        agreement: Agreement | None = None,
        hosts: Collection[str] = (),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.folder = folder
        self.digest_folder = digest_folder
        self.as_of = as_of
        self.uses_clock = uses_clock
        self.is_sample = is_sample
        self.budget_usd = budget_usd
        self.budget_usd_day = budget_usd_day
        self.agreement = agreement
        self.hosts = hosts

    def work(self, run: Run, context: Context) -> Counts:
        about = About(
            as_of=as_of(self.warehouse, self.as_of, self.uses_clock),
            is_sample=self.is_sample,
            budget_usd=self.budget_usd,
            budget_usd_day=self.budget_usd_day,
            agreement=self.agreement(self.warehouse) if self.agreement else (),
            hosts=self.hosts,
        )
        path = write_report(self.warehouse, self.folder, self.digest_folder, about, run)
        self.log.info("report written to %s", path)
        return Counts({"bytes": path.stat().st_size})
