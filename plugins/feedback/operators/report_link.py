"""From a task in Airflow's UI to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink

from feedback.address import REPORT_PAGE

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class ReportLink(BaseOperatorLink):
    """The button “Report” of a task: the page with the latest report."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        from airflow.sdk.configuration import conf

        # Only the path of Airflow's address: a person may reach it by another host than a worker does.
        return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + REPORT_PAGE
