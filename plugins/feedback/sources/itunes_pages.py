"""Saved JSON pages of the public iTunes reviews feed: a file or a folder of them.

A feed says little about itself: which app and country a page is about stands in its links, or in its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feedback.model import Batch, Gap, digest
from feedback.sources.base import Finding, Part, Past, Source, Unreadable, grouped, load_id, newest
from feedback.sources.json_file import clean, parse, storable
from feedback.sources.named_files import examined, named_files

VARIABLE = "FEEDBACK_ITUNES_PAGES"
APP_ID = re.compile(r"\bid=?(\d{5,12})\b")
COUNTRY = re.compile(r"(?:apple\.com/([a-z]{2})/|[?&/]cc=([a-z]{2})\b)")
NAMED = re.compile(r"(?:\b|_)(?:([A-Za-z]{2})[-_. ])?(?:id(?=\d{5})|(?=\d{9,10}(?!\d)))(\d{5,12})(?!\d)")
"""How people call saved pages: ``us_1234567890_page1.json``."""


@dataclass(frozen=True)
class ItunesPages(Source):
    """The reviews in saved pages of the feed."""

    path: Path
    name: str = "itunes_pages"
    kind = "itunes"

    def extract(self, past: Past) -> Iterator[Batch | Gap]:
        parts: list[Part] = []
        files: dict[str, Path] = {}
        for found in named_files(self.name, self.path, ".json", VARIABLE):
            if isinstance(found, Gap):
                yield found
                continue
            parts.append(found.part)
            files[found.part.name] = found.path
        for group in grouped(parts):
            yield from self._pages(group, files, past)

    def examine(self, past: Past) -> Iterator[Finding]:
        yield examined(self.name, self.path, ".json", VARIABLE)

    def _pages(self, group: list[Part], files: Mapping[str, Path], past: Past) -> Iterator[Batch | Gap]:
        identity = load_id(self.name, group)
        rows: list[dict[str, Any]] = []
        for part in group:
            if identity in past.loads or past.refused_whole(part):
                yield from past.refusals(part.name, part.sha)
                continue
            try:
                found, bad = reviews(parse(files[part.name].read_bytes(), part.name), part.name)
            except Unreadable as refused:
                yield refused.gap(self.name, part.name, part.sha)
                continue
            rows += found
            if bad:
                detail = f"{part.name}: {bad} entries are no reviews and were left out"
                yield Gap(self.name, part.name, "refused", "bad_entry", detail, bad, part.sha)
        if rows:
            latest = newest(((r["app_id"], r["review_id"]), r["updated_at"] or datetime.min, r) for r in rows)
            span = group[0].name if len(group) == 1 else f"{group[0].name} … {group[-1].name}"
            yield Batch(self.name, span, "raw.app_reviews", latest, identity)


def reviews(page: Any, name: str) -> tuple[list[dict[str, Any]], int]:
    """Return the reviews of a page, and how many entries are none.

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
    app_id, territory = _about(feed, entries, name)
    rows = [_row(one, app_id, territory) for one in written if _is_review(one)]
    return rows, len(written) - len(rows)


def _about(feed: Mapping[str, Any], entries: list[Any], name: str) -> tuple[str, str | None]:
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
        "updated_at": _instant(_label(entry, "updated")),
        "payload": storable(entry),
        "row_hash": digest(*written.values()),
    }


def _label(entry: Mapping[str, Any], name: str) -> str | None:
    """Every value of the feed is wrapped: ``{"label": "5"}``."""
    value = entry.get(name)
    label = value.get("label") if isinstance(value, dict) else value
    return clean(label).strip() or None if isinstance(label, str) else None


def _instant(value: str | None) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
