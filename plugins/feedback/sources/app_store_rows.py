"""A customer review of App Store Connect to a row of ``raw.app_reviews``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback.model import digest
from feedback.sources.fields import BadRowError, inner, instant, text
from feedback.sources.json_file import storable

UNLISTED = {"XKS": "XK"}
"""Kosovo, which no list of countries has."""


def row(responses: Mapping[str, Any], app_id: str, review: Any) -> dict[str, Any]:
    """Return the row of a review with the answer to it.

    The store does not say when a review was edited: ``updated_at`` is when it was written, and what is live counts.

    :param responses: the answers of a page, by id.
    :raises BadRowError: it has no id, no rating from one to five or no time.
    """
    said = inner(review, "attributes")
    review_id, created = text(inner(review, "id")), instant(inner(said, "createdDate"))
    if review_id is None:
        raise BadRowError("no id")
    if inner(said, "rating") not in (1, 2, 3, 4, 5):
        raise BadRowError("no rating from 1 to 5")
    if created is None:
        raise BadRowError("no createdDate")
    response = responses.get(str(inner(review, "relationships", "response", "data", "id")))
    written = {
        "rating": inner(said, "rating"),
        "title": text(inner(said, "title")),
        "body": text(inner(said, "body")),
        "reply_text": text(inner(response, "attributes", "responseBody")),
    }
    return {
        "store": "app_store",
        "app_id": app_id,
        "review_id": review_id,
        **written,
        "author": text(inner(said, "reviewerNickname")),
        "territory": country(text(inner(said, "territory"))),
        "created_at": created,
        "updated_at": created,
        "replied_at": instant(inner(response, "attributes", "lastModifiedDate")),
        "payload": storable({**review, "included": [response]} if response else review),
        "row_hash": digest(*written.values()),
    }


def country(code: str | None) -> str | None:
    """Return a country in two letters, as the other stores say it: ``USA`` is ``US``."""
    from babel.core import get_global

    same = get_global("territory_aliases").get(code or "", ())
    return same[0] if len(same) == 1 else UNLISTED.get(code or "", code)
