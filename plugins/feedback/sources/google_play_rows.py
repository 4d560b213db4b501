"""A review, of Play Console's report or of the Play Developer API, to a row of ``raw.app_reviews``.

The same version of a review makes the same ``row_hash`` by either way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from feedback.model import digest
from feedback.sources.fields import BadRowError, inner, text
from feedback.sources.json_file import storable

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


def row(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of a line of the report.

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
        "title": text(cells["Review Title"]),
        "body": text(cells["Review Text"]),
        "reply_text": text(cells["Developer Reply Text"]),
    }
    return {
        "store": "google_play",
        "app_id": package,
        "review_id": review_id(cells),
        **written,
        "language": _language(text(cells["Reviewer Language"])),
        "app_version": text(cells["App Version Name"]) or text(cells.get("App Version Code", "")),
        "created_at": created,
        "updated_at": _instant(cells, "Review Last Update Millis Since Epoch") or created,
        "replied_at": _instant(cells, "Developer Reply Millis Since Epoch"),
        "payload": storable(dict(cells)),
        "row_hash": digest(*written.values()),
    }


def api_row(package: str, review: Any) -> dict[str, Any]:
    """Return the row of a review of the API, which does not say when it was first written.

    :raises BadRowError: it has no id, no rating from one to five or no time.
    """
    comments = inner(review, "comments")
    comments = comments if isinstance(comments, list) else []
    said = next((one for comment in comments if (one := inner(comment, "userComment"))), None)
    reply = next((one for comment in comments if (one := inner(comment, "developerComment"))), None)
    identity, updated = text(inner(review, "reviewId")), _moment(inner(said, "lastModified"))
    if identity is None:
        raise BadRowError("no reviewId")
    if inner(said, "starRating") not in (1, 2, 3, 4, 5):
        raise BadRowError("no starRating from 1 to 5")
    if updated is None:
        raise BadRowError("no lastModified")
    title, body = _title_and_body(inner(said, "originalText") or inner(said, "text"))
    written = {
        "rating": inner(said, "starRating"),
        "title": title,
        "body": body,
        "reply_text": text(inner(reply, "text")),
    }
    code = inner(said, "appVersionCode")
    return {
        "store": "google_play",
        "app_id": package,
        "review_id": identity,
        **written,
        "author": text(inner(review, "authorName")),
        "language": _language(text(inner(said, "reviewerLanguage"))),
        "app_version": text(inner(said, "appVersionName")) or (str(code) if code else None),
        "updated_at": updated,
        "replied_at": _moment(inner(reply, "lastModified")),
        "payload": storable(review),
        "row_hash": digest(*written.values()),
    }


def _language(code: str | None) -> str | None:
    return code.replace("_", "-") if code else None


def _title_and_body(words: Any) -> tuple[str | None, str | None]:
    """The API writes a title and a tab before the words; a review without title may begin with the tab."""
    title, tab, body = words.partition("\t") if isinstance(words, str) else ("", "", "")
    return (text(title), text(body)) if tab else (None, text(title))


def _moment(value: Any) -> datetime | None:
    """An instant of the API, to the millisecond, as the report has it."""
    try:
        seconds, nanos = int(inner(value, "seconds")), int(inner(value, "nanos") or 0)
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=nanos // 1_000_000 * 1_000)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


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
