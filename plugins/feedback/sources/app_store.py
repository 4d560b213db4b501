"""Customer reviews and our answers to them, from App Store Connect.

The API cannot be asked for what is new: it lists everything, the newest first. So a run walks back until it is two
weeks past the newest review it knew and a whole page is stored as it is; once a week it walks to the end, and
finds the older reviews that were edited, answered or taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from feedback.errors import FeedbackError
from feedback.model import Memory, Walked, utc_now
from feedback.sources import live_reviews
from feedback.sources.app_store_client import PACE_S, PAGE_SIZE, AppStoreClient, Page
from feedback.sources.app_store_rows import row
from feedback.sources.base import Expected, Finding, Past, Source
from feedback.sources.fields import inner, instant
from feedback.sources.part_failed import Found, each

OVERLAP = timedelta(days=14)
COMPLETE_EVERY = timedelta(days=7)
STORED = "select count(*) as n from raw.app_reviews where store = 'app_store' and app_id = ? and created_at >= ?"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Known:
    """What is remembered of an app: its newest review, and when it was last walked to the end."""

    newest: datetime | None
    complete_at: datetime | None

    @classmethod
    def of(cls, past: Past, app: str) -> _Known:
        state = past.state.get(app, {})
        return cls(instant(state.get("newest")), instant(state.get("complete_at")))

    def since(self, now: datetime) -> datetime:
        """Back to when a run at this time has to walk: as far as it goes, once a week."""
        if self.newest is None or self.complete_at is None or now - self.complete_at >= COMPLETE_EVERY:
            return datetime.min
        return self.newest - OVERLAP


class _Walk:
    """A walk from the newest review of an app towards the oldest.

    :ivar newest: when the newest was written.
    :ivar met: the ids it met.
    :ivar bad: why entries are no reviews.
    :ivar is_whole: whether it met everything there is.
    """

    def __init__(self, app: str, since: datetime):
        self.app, self.since = app, since
        self.newest: datetime | None = None
        self.met: set[str] = set()
        self.bad: list[str] = []
        self.is_whole = False

    def news(self, pages: Iterator[Page], past: Past) -> Iterator[list[live_reviews.Row]]:
        """Yield what is new on each page, until all of a page is older than it has to go and stored as it is."""
        total: int | None = None
        for page in pages:
            rows = live_reviews.readable(page.reviews, partial(row, page.responses, self.app), self.bad)
            new = live_reviews.changed(past, rows)
            yield new
            self.met.update(str(inner(one, "id")) for one in page.reviews)
            self.newest = self.newest or max((one["created_at"] for one in rows), default=None)
            total = page.total if total is None else total
            if rows and not new and all(one["created_at"] < self.since for one in rows):
                return
        self.is_whole = total is None or len(self.met) >= total
        if not self.is_whole:
            log.warning("app %s moved while it was read: the next run reads it whole again", self.app)


@dataclass(frozen=True)
class AppStore(Source):
    """The reviews of our own apps.

    :param apps: their ids.
    :param open: returns a client that has the key.
    """

    apps: tuple[str, ...]
    open: Callable[[], AppStoreClient]
    clock: Callable[[], datetime] = utc_now
    name: str = "app_store"
    kind = "app_store"

    def extract(self, past: Past) -> Iterator[Found]:
        client = self.open()
        yield from each(self.name, self.apps, lambda app: self._app(client, app, past))

    def expected(self, past: Past) -> Expected:
        calls, new = 0, []
        for app in self.apps:
            known = _Known.of(past, app)
            stored = past.rows(STORED, (app, known.since(self.clock())))
            calls += 1 + (stored[0]["n"] // PAGE_SIZE if stored else 0)
            new += [] if known.newest else [app]
        note = f"and one for each {PAGE_SIZE} reviews of {', '.join(new)}, not read so far" if new else ""
        return Expected(calls=calls, minutes=calls * PACE_S / 60, note=note)

    def examine(self, past: Past) -> Iterator[Finding]:
        client = self.open()
        for app in self.apps:
            try:
                page = next(client.pages(app, limit=1))
            except FeedbackError as error:
                yield Finding(f"{self.name} {app}", False, str(error))
            else:
                left = "" if client.calls_left is None else f", {client.calls_left:,} calls left in this hour"
                yield Finding(f"{self.name} {app}", True, f"{page.total or len(page.reviews):,} reviews{left}")
        if client.clock_line:
            yield Finding(f"{self.name} clock", False, client.clock_line)

    def _app(self, client: AppStoreClient, app: str, past: Past) -> Iterator[Found]:
        """Yield an app's reviews and what is gone; what is remembered of it moves when the walk has ended."""
        started, known = self.clock(), _Known.of(past, app)
        walk = _Walk(app, known.since(started))
        yield from live_reviews.batches(self.name, app, started, walk.news(client.pages(app), past))
        yield from live_reviews.left_out(self.name, app, walk.bad)
        if walk.is_whole:
            met = frozenset((self.kind, app, review_id) for review_id in walk.met)
            yield Walked(self.name, "raw.app_reviews", "store = ? and app_id = ?", (self.kind, app), met)
        newest = max((one for one in (known.newest, walk.newest) if one), default=None)
        complete_at = started if walk.is_whole else known.complete_at
        state = {"newest": newest and newest.isoformat(), "complete_at": complete_at and complete_at.isoformat()}
        yield Memory("ops.source_state", [{"source": self.name, "part": app, "state": state}])
