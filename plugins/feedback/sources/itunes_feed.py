"""The public iTunes reviews feed, for apps that are not ours: a country's latest 500 reviews, as best it can.

The feed answers with empty pages now and then, so what is not in it proves nothing: it never deletes, and an empty
page where there were reviews before is a fetch that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.errors import FeedbackError
from feedback.model import Gap, Memory, utc_now
from feedback.sources import live_reviews
from feedback.sources.base import Expected, Finding, Past, Source, Unreadable
from feedback.sources.itunes_rows import About, reviews
from feedback.sources.part_failed import Found, PartFailed, each
from feedback.sources.web import Web

APPLE = "https://itunes.apple.com"
PACE_S = 0.5
PAGES = 10
PAGE_SIZE = 50
FORMS = (
    "/{country}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json",
    "/{country}/rss/customerreviews/id={app}/sortby=mostrecent/page={page}/json",
)
"""Ways to write the address of a page: now and then one answers with nothing and the other with everything."""


@dataclass(frozen=True)
class ItunesFeed(Source):
    """The reviews in the public feed.

    :param feeds: each ``country:app_id``.
    :param open: returns the feed's service.
    """

    feeds: tuple[str, ...]
    open: Callable[[], Web]
    clock: Callable[[], datetime] = utc_now
    name: str = "itunes_feed"
    kind = "itunes"

    def extract(self, past: Past) -> Iterator[Found]:
        web = self.open()
        yield from each(self.name, self.feeds, lambda feed: self._feed(web, feed, past))

    def expected(self, past: Past) -> Expected:
        calls = sum(min(_pages(past, feed) + len(FORMS), PAGES) for feed in self.feeds)
        return Expected(calls=calls, minutes=calls * PACE_S / 60, note="best effort: the latest 500 of each country")

    def examine(self, past: Past) -> Iterator[Finding]:
        web = self.open()
        for feed in self.feeds:
            try:
                rows, _ = _page(web, feed, 1)
            except FeedbackError as error:
                yield Finding(f"{self.name} {feed}", False, str(error))
            else:
                line = f"{len(rows)} reviews on its first page" if rows else "no reviews: right country and app id?"
                yield Finding(f"{self.name} {feed}", True if rows else None, line)

    def _feed(self, web: Web, feed: str, past: Past) -> Iterator[Found]:
        """Yield a feed's reviews, and remember how far they go."""
        walk = _Walk(feed, _pages(past, feed))
        yield from live_reviews.batches(self.name, feed, self.clock(), walk.news(web, past))
        yield from live_reviews.left_out(self.name, feed, walk.bad)
        if walk.empty:
            detail = (
                f"the iTunes feed of {feed} is empty on page {', '.join(walk.empty)}, where reviews were before:"
                " nothing is deleted, the next run tries again"
            )
            yield Gap(self.name, feed, "failed", "empty_page", detail)
        state = {"pages": walk.last or walk.known}
        yield Memory("ops.source_state", [{"source": self.name, "part": feed, "state": state}])


class _Walk:
    """A walk through the pages of a feed.

    :param known: how many had reviews before.
    :ivar last: the last that has some now.
    :ivar empty: those that have none, and had some.
    :ivar bad: why entries are no reviews.
    """

    def __init__(self, feed: str, known: int):
        self.feed, self.known, self.last = feed, known, 0
        self.empty: list[str] = []
        self.bad: list[str] = []

    def news(self, web: Web, past: Past) -> Iterator[list[live_reviews.Row]]:
        for number in range(1, PAGES + 1):
            rows, others = _page(web, self.feed, number)
            self.bad += ["no id or rating"] * others
            if rows:
                self.last = number
            elif number > self.known:
                return
            else:
                self.empty.append(str(number))
            yield live_reviews.changed(past, rows)


def _pages(past: Past, feed: str) -> int:
    return int(past.state.get(feed, {}).get("pages", 0))


def _page(web: Web, feed: str, number: int) -> tuple[list[live_reviews.Row], int]:
    """Return the reviews of a page, and how many entries are none; an empty page is asked for in every form.

    :raises PartFailed: it cannot be read now.
    """
    country, _, app = feed.partition(":")
    statuses, others = [], 0
    for form in FORMS:
        answer = web.get(form.format(country=country, app=app, page=number))
        statuses.append(answer.status)
        if answer.status == 200:
            rows, others = _reviews(web, answer.body, feed, number, (app, country.upper()))
            if rows:
                return rows, others
    if 200 not in statuses:
        raise PartFailed("refused", f"{web.who} refused page {number} of {feed} (HTTP {statuses[0]})")
    return [], others


def _reviews(web: Web, body: Any, feed: str, number: int, about: About) -> tuple[list[live_reviews.Row], int]:
    try:
        rows, others = reviews(body, f"page {number} of {feed}", about)
    except Unreadable as refused:
        raise PartFailed(refused.reason, f"{web.who}: {refused}") from None
    return list({row["review_id"]: row for row in rows}.values()), others
