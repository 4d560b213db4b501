"""A row of Play Console's report to a row of ``raw.app_reviews``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from feedback.model import digest
from feedback.sources.json_file import clean, storable

COLUMNS = (
    "Package Name",
    "App Version Name",
    "Reviewer Language",
    "Device",
    "Review Submit Millis Since Epoch",
    "Review Last Update Millis Since Epoch",
    "Star Rating",
    "Review Title",
    "Review Text",
    "Developer Reply Millis Since Epoch",
    "Developer Reply Text",
    "Review Link",
)
"""What is read of the report; it has more."""
REVIEW_ID = re.compile(r"review_?id=([^&#]+)", re.IGNORECASE)


class BadRowError(ValueError):
    """A row that is no review; its text says why, never what it holds."""


def row(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of a review.

    :raises BadRowError: it has no package, no rating from one to five or no time.
    """
    package, stars = cells["Package Name"].strip(), cells["Star Rating"].strip()
    if not package:
        raise BadRowError("no package name")
    if stars not in ("1", "2", "3", "4", "5"):
        raise BadRowError("no star rating from 1 to 5")
    created = _instant(cells, "Review Submit Millis Since Epoch")
    if created is None:
        raise BadRowError("no Review Submit Millis Since Epoch")
    written = {
        "rating": int(stars),
        "title": _text(cells["Review Title"]),
        "body": _text(cells["Review Text"]),
        "reply_text": _text(cells["Developer Reply Text"]),
    }
    return {
        "store": "google_play",
        "app_id": package,
        "review_id": review_id(cells),
        **written,
        "language": _text(cells["Reviewer Language"].replace("_", "-")),
        "app_version": _text(cells["App Version Name"]) or _text(cells.get("App Version Code", "")),
        "created_at": created,
        "updated_at": _instant(cells, "Review Last Update Millis Since Epoch") or created,
        "replied_at": _instant(cells, "Developer Reply Millis Since Epoch"),
        "payload": storable(dict(cells)),
        "row_hash": digest(*written.values()),
    }


def review_id(cells: Mapping[str, str]) -> str:
    """Return Google's id, which only the link holds; a rating without words has none and gets one of ours."""
    if found := REVIEW_ID.search(cells["Review Link"]):
        return unquote(found.group(1))
    submitted = cells["Review Submit Millis Since Epoch"].strip()
    return "rating-" + digest(cells["Package Name"].strip(), submitted, cells["Device"].strip())[:24]


def _instant(cells: Mapping[str, str], column: str) -> datetime | None:
    millis = cells[column].strip()
    if not millis:
        return None
    try:
        return datetime.fromtimestamp(int(millis) / 1000, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise BadRowError(f"{column} is no number of milliseconds") from None


def _text(value: str) -> str | None:
    return clean(value).strip() or None
