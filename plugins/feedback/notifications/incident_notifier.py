"""The notifier of every task: one incident, one message, however many tasks fail for the same cause."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from feedback.address import REPORT_PAGE
from feedback.digest.outbox import write_atomically
from feedback.errors import FeedbackError, RunIncomplete
from feedback.model import digest
from feedback.notifications.incidents import meet
from feedback.notifications.telling import tell
from feedback.notifications.trouble import Trouble, our_error, trouble
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context
    from slack_sdk import WebClient

COST = "select sum(cost_usd) as cost_usd from ops.llm_calls where run_id = ? and dag_id = ?"


class IncidentNotifier(BaseNotifier):
    """Keep the incident in ``ops.incidents``, its message as a file, and tell Slack; never fail the task once more.

    A task that did not run, or fails its run, because another failed before it is no incident. The incident is
    stored before anybody is told, so what Slack does not take now is told later: by the next alert, or by
    ``triage_digest``.

    :param warehouse: where incidents are kept; while it is out of reach, only the file is written.
    :param folder: where the message of each incident is written.
    :param report: the page to read next.
    :param channel: of Slack; none, and only the file is written. ``client`` makes Slack's client.
    """

    def __init__(
        self,
        *,
        warehouse: Warehouse,
        folder: Path,
        report: Path | None = None,
        channel: str | None = None,
        client: Callable[[], WebClient] | None = None,
    ):
        super().__init__()
        self.warehouse = warehouse
        self.folder = folder
        self.report = report
        self.channel = channel
        self.client = client

    def notify(self, context: Context) -> None:
        try:
            if not _is_told(context):
                self.meet(trouble(self._rows, context), getattr(context["ti"], "log_url", None))
                self.tell()
        except Exception as error:  # noqa: BLE001 - an alert that fails must not hide what it is about
            self.log.error("no alert could be written: %s", type(error).__name__)

    def meet(self, met: Trouble, log_url: str | None = None) -> None:
        """Store the trouble as an incident and write its message to the file."""
        message = self._message(met, log_url)
        try:
            incident = meet(self.warehouse, met.key, met.run_id, message)
        except FeedbackError:
            first = digest(met.key, met.run_id)[:16]
            incident = {"incident_id": first, "state": "open", "first_run_id": met.run_id, "count": 1}
        message |= {name: incident[name] for name in ("incident_id", "state", "first_run_id", "count")}
        # Another task may be writing the same message: whoever is last wins.
        text = json.dumps(message, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.folder / f"{incident['incident_id']}.json", text)

    def tell(self) -> int:
        """Tell Slack what it has not been told; return how many posts that were."""
        if not (self.channel and self.client):
            return 0
        return tell(self.warehouse, self.channel, self.client)

    def _message(self, met: Trouble, log_url: str | None) -> dict[str, Any]:
        cost = [row["cost_usd"] for row in self._rows(COST, (met.run_id, met.dag_id))]
        return {
            **asdict(met),
            "cost_usd": cost[0] if cost else None,
            "report": str(self.report) if self.report else None,
            "links": {**({"Task in Airflow": log_url} if log_url else {}), "Report": report_url()},
        }

    def _rows(self, sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        try:
            return self.warehouse.rows(sql, params)
        except FeedbackError:
            return []


def report_url() -> str:
    """Return where Airflow shows the report; empty where its address is not known."""
    from airflow.sdk.configuration import conf

    base = conf.get("api", "base_url", fallback="") or ""
    return f"{base.rstrip('/')}{REPORT_PAGE}" if base else ""


def _is_told(context: Context) -> bool:
    """Whether another task, which failed first, has said what there is to say."""
    is_skipped = getattr(context["ti"], "state", None) == "upstream_failed"
    return is_skipped or isinstance(our_error(context.get("exception")), RunIncomplete)
