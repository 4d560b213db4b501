"""What customers said, one value per item with its published answers: what digests choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedback.warehouse.base import Warehouse

# Private channels stay out: a digest may be read by more people than its source.
CHOSEN = """
    i.visibility = 'public' and i.last_activity_at <= ?
    and (i.last_activity_at > ? or (i.is_unanswered = true and i.posted_at > ?))
"""
ITEMS = f"""
    select i.item_id, i.source, i.channel_or_app as channel, i.permalink, i.rating, i.language, i.posted_at,
        i.last_activity_at, i.message_count, i.author_count, i.has_reply_by_team,
        coalesce(i.is_unanswered, false) as is_unanswered,
        s.label as sentiment, s.score, s.quote as sentiment_quote, n.label as intent, n.quote as intent_quote,
        coalesce(s.is_stale, false) or coalesce(n.is_stale, false) as is_stale,
        coalesce(s.model, '') = 'offline' or coalesce(n.model, '') = 'offline' as is_offline,
        greatest(i.updated_at, coalesce(s.answered_at, i.updated_at), coalesce(n.answered_at, i.updated_at)) as heard_at
    from feedback.items i
    left join feedback.sentiment s on s.item_id = i.item_id
    left join feedback.intent n on n.item_id = i.item_id
    where {CHOSEN}
    order by i.item_id
"""
AREAS = f"""
    select a.item_id, a.label, a.quote, a.is_stale
    from feedback.area a
    join feedback.items i on i.item_id = a.item_id
    where {CHOSEN}
    order by a.item_id, a.label
"""


@dataclass(frozen=True)
class Voice:
    """One item and what is published about it.

    :param heard_at: when we last learned something about it, by the clock.
    :param quotes: grounded quotes, by what they show: ``sentiment``, ``intent`` or the name of an area.
    """

    item_id: str
    source: str
    channel: str
    permalink: str | None
    rating: int | None
    language: str | None
    posted_at: datetime
    last_activity_at: datetime
    message_count: int
    author_count: int
    has_reply_by_team: bool
    is_unanswered: bool
    sentiment: str | None
    score: float | None
    intent: str | None
    is_stale: bool
    is_offline: bool
    heard_at: datetime
    areas: tuple[str, ...]
    quotes: dict[str, str]

    @property
    def is_negative(self) -> bool:
        """Whether the customer is unhappy: by stars where there are any, else by the words."""
        return self.rating <= 2 if self.rating is not None else self.sentiment == "negative"


def voices(warehouse: Warehouse, active_since: datetime, open_since: datetime, until: datetime) -> list[Voice]:
    """Return every public item active in the time, and every question asked in it that is still open."""
    params = (until, active_since, open_since)
    areas: dict[str, list[dict[str, Any]]] = {}
    for row in warehouse.rows(AREAS, params):
        areas.setdefault(row["item_id"], []).append(row)
    return [_voice(row, areas.get(row["item_id"], [])) for row in warehouse.rows(ITEMS, params)]


def _voice(row: dict[str, Any], areas: list[dict[str, Any]]) -> Voice:
    quotes = {"intent": row.pop("intent_quote"), "sentiment": row.pop("sentiment_quote")}
    quotes |= {area["label"]: area["quote"] for area in areas}
    row["is_stale"] = row["is_stale"] or any(area["is_stale"] for area in areas)
    return Voice(
        **row,
        areas=tuple(area["label"] for area in areas),
        quotes={shows: quote for shows, quote in quotes.items() if quote},
    )
