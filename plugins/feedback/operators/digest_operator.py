"""Write what each team should read, and post it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.digest.clock import as_of
from feedback.digest.outbox import write_digests
from feedback.digest.team import Team
from feedback.model import Counts, Run
from feedback.notifications.digests import post_digests, waiting
from feedback.operators.feedback_operator import FeedbackOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from slack_sdk import WebClient


class DigestOperator(FeedbackOperator):
    """Write one digest per team and day, or nothing where there is nothing to tell, and post it to Slack once.

    Slack being away fails nothing: what it does not take now is posted by a later run.

    :param folder: where the Block Kit files go.
    :param as_of: taken as now; without it the clock if ``uses_clock``, else the newest item.
    :param timezone: in which a day begins.
    :param hosts: where links may lead beside Slack and the stores.
    :param channels: by team, of Slack: where its digest goes; without one it stays a file. ``client`` makes Slack's
        client.
    """

    def __init__(
        self,
        *,
        teams: Sequence[Team],
        folder: Path,
        as_of: datetime | None,
        uses_clock: bool,
        timezone: str,
        hosts: Collection[str] = (),
        channels: Mapping[str, str] | None = None,
        client: Callable[[], WebClient] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.teams = teams
        self.folder = folder
        self.as_of = as_of
        self.uses_clock = uses_clock
        self.timezone = timezone
        self.hosts = hosts
        self.channels = channels or {}
        self.client = client

    def work(self, run: Run, context: Context) -> Counts:
        now = as_of(self.warehouse, self.as_of, self.uses_clock)
        written = write_digests(
            self.warehouse,
            self.teams,
            self.folder,
            as_of=now,
            timezone=self.timezone,
            run=run,
            hosts=self.hosts,
            channels=self.channels,
        )
        told = (
            f"{len(written.paths)} written, {len(written.kept)} there already, {len(written.quiet)} with nothing to say"
        )
        self.log.info("digests as of %s UTC: %s", f"{now:%Y-%m-%d %H:%M}", told)
        posted = post_digests(self.warehouse, self.client, self.channels) if self.client else 0
        left = waiting(self.warehouse)
        return Counts(
            {
                "written": len(written.paths),
                "quiet": len(written.quiet),
                "kept": len(written.kept),
                "lines": written.lines,
                "posted": posted,
            },
            notes=tuple(f"{key} waits for Slack" for key in left),
        )
