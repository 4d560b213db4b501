"""A page of the public iTunes reviews feed to rows of ``raw.app_reviews``, in each shape that Apple gives it.

A feed says little about itself: which app and country a page is about stands in its links, or in its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from feedback.model import digest
from feedback.sources.base import Unreadable
from feedback.sources.fields import instant, text
from feedback.sources.json_file import storable

About = tuple[str, str | None]
"""The app and, where it is known, the country in two capital letters."""
APP_ID = re.compile(r"\bid=?(\d{5,12})\b")
COUNTRY = re.compile(r"(?:apple\.com/([a-z]{2})/|[?&/]cc=([a-z]{2})\b)")
NAMED = re.compile(r"(?:\b|_)(?:([A-Za-z]{2})[-_. ])?(?:id(?=\d{5})|(?=\d{9,10}(?!\d)))(\d{5,12})(?!\d)")
"""How people call saved pages: ``us_1234567890_page1.json``."""


def reviews(page: Any, name: str, about: About | None = None) -> tuple[list[dict[str, Any]], int]:
    """Return the reviews of a page, and how many entries are none.

    :param about: the app and country that were asked for; else what the page or its name tells.
    :raises Unreadable: it is no page of the feed, or does not tell its app.
    """
    feed = page.get("feed") if isinstance(page, dict) else None
    if not isinstance(feed, dict):
        raise Unreadable("not_a_feed", f"{name} is no page of the iTunes reviews feed: save the feed's JSON")
    entry = feed.get("entry", [])
    entries = entry if isinstance(entry, list) else [entry]
    written = [one for one in entries if not _is_app(one)]
    if not written:
        return [], 0
    app_id, territory = about or _about(feed, entries, name)
    rows = [_row(one, app_id, territory) for one in written if _is_review(one)]
    return rows, len(written) - len(rows)


def _about(feed: Mapping[str, Any], entries: list[Any], name: str) -> About:
    """The app and country of a page: by its links, the app it begins with, its reviews' links, its name."""
    links = [*_links(feed.get("id")), *_links(feed.get("link")), *_links(feed.get("author"))]
    links += [link for one in entries if isinstance(one, dict) for link in _links([one.get("link"), one.get("id")])]
    apps = [found.group(1) for link in links if (found := APP_ID.search(link))]
    countries = [found.group(1) or found.group(2) for link in links if (found := COUNTRY.search(link))]
    named = NAMED.search(Path(name).stem)
    if named:
        apps.append(named.group(2))
        countries += [named.group(1)] if named.group(1) else []
    if not apps:
        raise Unreadable("no_app_id", f"{name} does not tell its app: call it <country>_<app id>_<page>.json")
    return apps[0], countries[0].upper() if countries else None


def _links(value: Any) -> Iterator[str]:
    """Every address in a part of the feed."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _links(inner)
    elif isinstance(value, str) and value.startswith("http"):
        yield value


def _is_app(entry: Any) -> bool:
    """Old feeds begin with the app itself."""
    return isinstance(entry, dict) and "im:rating" not in entry and ("im:name" in entry or "im:artist" in entry)


def _is_review(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and bool(_label(entry, "id"))
        and (_label(entry, "im:rating") or "") in ("1", "2", "3", "4", "5")
    )


def _row(entry: dict[str, Any], app_id: str, territory: str | None) -> dict[str, Any]:
    written = {
        "rating": int(_label(entry, "im:rating") or 0),
        "title": _label(entry, "title"),
        "body": _label(entry, "content"),
    }
    author = entry.get("author")
    return {
        "store": "itunes",
        "app_id": app_id,
        "review_id": _label(entry, "id"),
        **written,
        "author": _label(author, "name") if isinstance(author, dict) else None,
        "territory": territory,
        "app_version": _label(entry, "im:version"),
        "updated_at": instant(_label(entry, "updated")),
        "payload": storable(entry),
        "row_hash": digest(*written.values()),
    }


def _label(entry: Mapping[str, Any], name: str) -> str | None:
    """Every value of the feed is wrapped: ``{"label": "5"}``."""
    value = entry.get(name)
    label = value.get("label") if isinstance(value, dict) else value
    return text(label)
