"""Texts of a source without tables of its own: the row that it lands as, and the item made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from feedback.model import Item, content_hash, digest
from feedback.sources.authors import author_hash
from feedback.sources.json_file import clean
from feedback.sources.reviews import region, words
from feedback.sources.unasked import unasked_reason
from feedback.text.redaction import mask

Row = Mapping[str, Any]


def text_row(source: str, identity: str, body: str | None, row_hash: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a row of ``raw.texts``.

    :param source: the name of the source.
    :param row_hash: made of all columns where it is not given.
    :param more: further columns.
    """
    row = {"source": source, "id": identity, "body": body, **more}
    row = {name: clean(value) if isinstance(value, str) else value for name, value in row.items()}
    return {**row, "row_hash": row_hash or digest(*sorted(row.items()))}


def text_item(row: Row, salt: bytes, phone_region: str | None = None, hosts: Collection[str] = ()) -> Item:
    """Return the item of a text.

    :param row: of ``raw.texts``.
    :param phone_region: whose telephone numbers are masked; else those of the text's country.
    :param hosts: where its link may lead.
    """
    text = mask(words(row), phone_region or region(row["territory"]))
    reason = unasked_reason(text)
    posted = row["created_at"] or row["updated_at"] or row["first_seen_at"]
    return Item(
        item_id=f"{row['source']}:{row['id']}",
        source=row["source"],
        source_key=row["id"],
        permalink=permalink(row["url"], hosts),
        author_hash=author_hash(salt, row["source"], row["author"]),
        channel_or_app=row["channel"] or row["source"],
        text=text,
        rating=row["rating"],
        language=row["language"],
        territory=row["territory"],
        app_version=row["app_version"],
        visibility="private" if row["is_private"] else "public",
        posted_at=posted,
        last_activity_at=max(posted, row["updated_at"] or posted),
        message_count=1,
        author_count=1,
        has_reply_by_team=False,
        is_unanswered=None,
        content_hash=content_hash(text, row["rating"]),
        is_askable=reason is None,
        unasked_reason=reason,
        updated_at=row["changed_at"],
    )


def permalink(url: str | None, hosts: Collection[str]) -> str | None:
    """Return a link that leads to one of the hosts; the SQL of ``owed_items`` says the same."""
    return url if url and url.startswith(tuple(f"https://{host}/" for host in hosts)) else None
