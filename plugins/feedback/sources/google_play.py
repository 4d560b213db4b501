"""Reviews of Google Play and our answers to them, from the Play Developer API.

The API serves what was written or edited in the last seven days, and nothing older. What is not read in time comes
only with Play Console's reports, whose reviews have the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from feedback.errors import FeedbackError
from feedback.model import Gap, Memory, utc_now
from feedback.sources import live_reviews
from feedback.sources.base import Expected, Finding, Past, Source
from feedback.sources.google_play_client import PAGE_SIZE, GooglePlayClient
from feedback.sources.google_play_rows import api_row
from feedback.sources.part_failed import Found, each

WINDOW = timedelta(days=7)
LATE = timedelta(days=5)
"""So long after the last success there is still time to mend what is wrong."""
CALL_S = 1.0
STORED = "select count(*) as n from raw.app_reviews where store = 'google_play' and app_id = ? and updated_at >= ?"
REPORTED = "select 1 as one from ops.loads where source = 'google_play_csv' and part like ? and loaded_at > ?"

Stretch = tuple[datetime, datetime]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GooglePlay(Source):
    """The reviews of our own apps.

    :param apps: their package names.
    :param open: returns a client that has the service account.
    """

    apps: tuple[str, ...]
    open: Callable[[], GooglePlayClient]
    clock: Callable[[], datetime] = utc_now
    name: str = "google_play"
    kind = "google_play"

    def extract(self, past: Past) -> Iterator[Found]:
        read: set[str] = set()
        try:
            client = self.open()
            yield from each(self.name, self.apps, lambda app: self._app(client, app, past, read))
        except FeedbackError:
            yield from self._closing(past, read)
            raise
        yield from self._closing(past, read)

    def expected(self, past: Past) -> Expected:
        calls = 0
        for app in self.apps:
            stored = past.rows(STORED, (app, self.clock() - WINDOW))
            calls += 1 + (stored[0]["n"] // PAGE_SIZE if stored else 0)
        note = (
            ""
            if set(self.apps) <= set(past.state)
            else "the last seven days; what is older comes with FEEDBACK_GOOGLE_PLAY_CSV"
        )
        return Expected(calls=calls, minutes=calls * CALL_S / 60, note=note)

    def examine(self, past: Past) -> Iterator[Finding]:
        client = self.open()
        for app in self.apps:
            try:
                next(client.pages(app, size=1))
            except FeedbackError as error:
                yield Finding(f"{self.name} {app}", False, str(error))
            else:
                yield Finding(f"{self.name} {app}", True, f"its reviews can be read by {client.email}")
        for gap in self._closing(past, set()):
            yield Finding(f"{self.name} {gap.part}", False, gap.detail)
        if client.clock_line:
            yield Finding(f"{self.name} clock", False, client.clock_line)

    def _app(self, client: GooglePlayClient, app: str, past: Past, read: set[str]) -> Iterator[Found]:
        started = self.clock()
        bad: list[str] = []
        pages = (live_reviews.readable(page, partial(api_row, app), bad) for page in client.pages(app))
        yield from live_reviews.batches(self.name, app, started, (live_reviews.changed(past, rows) for rows in pages))
        read.add(app)
        yield from live_reviews.left_out(self.name, app, bad)
        missed = [stretch for stretch in _missed(past, app, started) if not _is_reported(past, app, stretch)]
        yield from self._lost(app, missed)
        state = {
            "read_at": started.isoformat(),
            "missed": [[since.isoformat(), until.isoformat()] for since, until in missed],
        }
        yield Memory("ops.source_state", [{"source": self.name, "part": app, "state": state}])

    def _closing(self, past: Past, read: set[str]) -> Iterator[Gap]:
        """Yield an alarm for each app that was not read for so long that its reviews are about to be lost."""
        for app in self.apps:
            last = _read_at(past, app)
            if app not in read and last and (late := self.clock() - last) > LATE:
                detail = (
                    f"{app} was last read {late.days} days ago, and Google serves only {WINDOW.days} days: see `make"
                    " doctor`, or load Play Console's report with FEEDBACK_GOOGLE_PLAY_CSV"
                )
                log.warning("%s: %s", self.name, detail)
                yield Gap(self.name, app, "failed", "window_closing", detail)

    def _lost(self, app: str, missed: list[Stretch]) -> Iterator[Gap]:
        """Yield what a person has to fetch."""
        if missed:
            months = sorted({month for stretch in missed for month in _months(stretch)})
            files = ", ".join(f"reviews_{app}_{month}.csv" for month in months)
            detail = (
                f"reviews of {app} from {missed[0][0]:%Y-%m-%d} to {missed[-1][1]:%Y-%m-%d} are served no more: load"
                f" {files} of Play Console with FEEDBACK_GOOGLE_PLAY_CSV"
            )
            yield Gap(self.name, app, "failed", "window_missed", detail)


def _read_at(past: Past, app: str) -> datetime | None:
    at = past.state.get(app, {}).get("read_at")
    return datetime.fromisoformat(at) if at else None


def _missed(past: Past, app: str, now: datetime) -> list[Stretch]:
    """Return when nobody read the app in time: as remembered, and what this run has come too late for."""
    known = past.state.get(app, {}).get("missed", [])
    missed = [(datetime.fromisoformat(since), datetime.fromisoformat(until)) for since, until in known]
    last = _read_at(past, app)
    return [*missed, (last, now - WINDOW)] if last and now - last > WINDOW else missed


def _is_reported(past: Past, app: str, stretch: Stretch) -> bool:
    """Whether a report of each of its months was loaded since."""
    return all(past.rows(REPORTED, (f"%{app}_{month}%", stretch[1])) for month in _months(stretch))


def _months(stretch: Stretch) -> list[str]:
    month, last = stretch[0].replace(day=1), stretch[1]
    months = []
    while month <= last:
        months.append(f"{month:%Y%m}")
        month = (month + timedelta(days=32)).replace(day=1)
    return months
