"""A raw app-store review to an item."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from feedback.model import Item, content_hash
from feedback.sources.authors import author_hash
from feedback.sources.unasked import unasked_reason
from feedback.text.redaction import mask

HOSTS = {"google_play": ("play.google.com",), "itunes": ("apps.apple.com", "itunes.apple.com")}
"""Where a review's link may lead: a link from anywhere else is not ours to hand on."""
Row = Mapping[str, Any]


def review_item(row: Row, salt: bytes, phone_region: str | None = None) -> Item:
    """Return the item of a review; a rating without words is one, with empty text, and is not asked about.

    :param row: of ``raw.app_reviews``.
    :param phone_region: whose telephone numbers are masked; else those of the review's country.
    """
    text = mask(words(row), phone_region or region(row["territory"]))
    reason = unasked_reason(text)
    posted = row["created_at"] or row["updated_at"] or row["first_seen_at"]
    moments = (posted, row["updated_at"], row["replied_at"])
    return Item(
        item_id=f"{row['store']}:{row['app_id']}:{row['review_id']}",
        source=row["store"],
        source_key=f"{row['app_id']}:{row['review_id']}",
        permalink=permalink(row),
        author_hash=author_hash(salt, row["store"], row["author"]),
        channel_or_app=row["app_id"],
        text=text,
        rating=row["rating"],
        language=row["language"],
        territory=row["territory"],
        app_version=row["app_version"],
        visibility="public",
        posted_at=posted,
        last_activity_at=max(moment for moment in moments if moment is not None),
        message_count=1,
        author_count=1,
        has_reply_by_team=row["reply_text"] is not None,
        is_unanswered=None,
        content_hash=content_hash(text, row["rating"]),
        is_askable=reason is None,
        unasked_reason=reason,
        updated_at=row["changed_at"],
    )


def permalink(row: Row) -> str | None:
    """Return the store's own page of the review or, where there is none, of its app; None where a link leads away."""
    payload = json.loads(row["payload"] or "{}")
    if row["store"] == "app_store":  # no review has a page of its own
        return f"https://apps.apple.com/app/id{quote(row['app_id'], safe='')}"
    if row["store"] == "google_play" and "reviewId" in payload:  # the API carries no link, the report does
        query = urlencode({"id": row["app_id"], "reviewId": row["review_id"]})
        return f"https://play.google.com/store/apps/details?{query}"
    link = payload.get("Review Link") or _first_address(payload.get("link"))
    address = urlsplit(link if isinstance(link, str) else "")
    is_theirs = address.scheme in ("http", "https") and address.hostname in HOSTS.get(row["store"], ())
    return address._replace(scheme="https").geturl() if is_theirs else None  # Play Console writes http


def _first_address(links: Any) -> Any:
    return next(
        (one["attributes"]["href"] for one in (links if isinstance(links, list) else [links]) if _has_address(one)), ""
    )


def _has_address(link: Any) -> bool:
    return isinstance(link, dict) and isinstance(link.get("attributes"), dict) and "href" in link["attributes"]


def words(row: Row) -> str:
    """Return title and words; stores repeat the one in the other."""
    title, body = ((row[name] or "").replace("\r\n", "\n").strip() for name in ("title", "body"))
    return body if body.startswith(title) else f"{title}\n{body}".strip()


def region(territory: str | None) -> str | None:
    """Return the country, where it is one, as telephone numbers know it."""
    return territory if territory and re.fullmatch("[A-Z]{2}", territory) else None
