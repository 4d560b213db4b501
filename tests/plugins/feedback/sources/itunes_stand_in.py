"""The public iTunes reviews feed on loopback: pages of fifty, in each shape of ``entry``, now and then empty."""

from __future__ import annotations

import re
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.plugins.feedback.sources.stand_ins import Clock, StandIn, says


class ItunesStandIn(StandIn):
    """:ivar feeds: the reviews by ``country:app_id``, the newest first.
    :ivar is_empty: says of a page and the form of its address whether it is empty this time.
    """

    def __init__(self, server: HTTPServer, clock: Clock):
        super().__init__(clock)
        server.expect_request(re.compile(r"/[a-z]{2}/rss/customerreviews/.*")).respond_with_handler(self.handle)
        self.base_url = f"http://127.0.0.1:{server.port}"
        self.feeds: dict[str, list[dict[str, Any]]] = {}
        self.is_empty = lambda page, form: False

    def _page(self, request: Request) -> int:
        return int(re.search(r"page=(\d+)", request.path)[1])

    def answer(self, request: Request) -> Response:
        page, form = self._page(request), "page first" if "/customerreviews/page=" in request.path else "id first"
        feed = f"{request.path.split('/')[1]}:{re.search(r'id=([0-9]+)', request.path)[1]}"
        assert page <= 10
        entries = self.feeds.get(feed, [])[(page - 1) * 50 : page * 50]
        entries = [] if self.is_empty(page, form) else [_entry(one) for one in entries]
        shape = {} if not entries else {"entry": entries[0] if len(entries) == 1 else entries}
        return says({"feed": {"author": {"name": {"label": "iTunes Store"}}, **shape}})


def review(number: int, **more: Any) -> dict[str, Any]:
    """A review of the feed."""
    first = {"id": str(10_000_000_000 - number), "rating": 4, "title": f"title {number}", "body": f"words {number}"}
    return first | {"updated": "2026-11-01T08:10:34-07:00"} | more


def _entry(one: dict[str, Any]) -> dict[str, Any]:
    values = {"id": one["id"], "im:rating": str(one["rating"]), "title": one["title"], "content": one["body"]}
    entry: dict[str, Any] = {name: {"label": value} for name, value in (values | {"updated": one["updated"]}).items()}
    return entry | {"author": {"name": {"label": "cy"}, "label": ""}, "im:version": {"label": "4.2"}}
