"""The notifier of every task: one incident, one message, however many tasks fail for the same cause."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from feedback.digest.outbox import write_atomically
from feedback.errors import FeedbackError, RunIncomplete
from feedback.model import digest
from feedback.notifications.incidents import meet
from feedback.notifications.trouble import Trouble, our_error, trouble
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

COST = "select sum(cost_usd) as cost_usd from ops.llm_calls where run_id = ? and dag_id = ?"


class IncidentNotifier(BaseNotifier):
    """Keep the incident in ``ops.incidents`` and its message as a file; never fail the task a second time.

    A task that did not run, or fails its run, because another failed before it is no incident. The message is
    not posted to Slack yet.

    :param warehouse: where incidents are kept; while it is out of reach, only the file is written.
    :param folder: where the message of each incident is written.
    :param report: the page to read next.
    """

    def __init__(self, *, warehouse: Warehouse, folder: Path, report: Path | None = None):
        super().__init__()
        self.warehouse = warehouse
        self.folder = folder
        self.report = report

    def notify(self, context: Context) -> None:
        try:
            if not _is_told(context):
                self._tell(trouble(self._rows, context))
        except Exception as error:  # noqa: BLE001 - an alert that fails must not hide what it is about
            self.log.error("no alert could be written: %s", type(error).__name__)

    def _tell(self, met: Trouble) -> None:
        try:
            incident = meet(self.warehouse, met.key, met.run_id, met.sentence)
        except FeedbackError:
            first = digest(met.key, met.run_id)[:16]
            incident = {"incident_id": first, "state": "open", "first_run_id": met.run_id, "count": 1}
        told = {name: incident[name] for name in ("incident_id", "state", "first_run_id", "count")}
        cost = [row["cost_usd"] for row in self._rows(COST, (met.run_id, met.dag_id))]
        message = {
            "sentence": met.sentence,
            **told,
            "key": met.key,
            "dag_id": met.dag_id,
            "run_id": met.run_id,
            "rules": met.rules,
            "runbook": met.runbook,
            "cost_usd": cost[0] if cost else None,
            "report": str(self.report) if self.report else None,
        }
        # Another task may be writing the same message: whoever is last wins.
        text = json.dumps(message, indent=2, ensure_ascii=False) + "\n"
        write_atomically(self.folder / f"{incident['incident_id']}.json", text)

    def _rows(self, sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
        try:
            return self.warehouse.rows(sql, params)
        except FeedbackError:
            return []


def _is_told(context: Context) -> bool:
    """Whether another task, which failed first, has said what there is to say."""
    is_skipped = getattr(context["ti"], "state", None) == "upstream_failed"
    return is_skipped or isinstance(our_error(context.get("exception")), RunIncomplete)
