"""Published items, as the asking task finds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from feedback.model import content_hash
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import append

LONG_AGO = datetime(2026, 10, 1)


def publish(warehouse: Warehouse, texts: Sequence[str]) -> None:
    """Publish an item with each of these texts."""
    item: dict[str, object] = {"source": "itunes", "source_key": "1:1", "channel_or_app": "1", "visibility": "public"}
    item |= dict.fromkeys(("posted_at", "last_activity_at", "updated_at"), LONG_AGO)
    item |= {"message_count": 1, "author_count": 1, "has_reply_by_team": False, "is_askable": True}
    item |= {"first_run_id": "r", "run_id": "r"}
    rows = [
        item | {"item_id": f"itunes:1:{text}", "text": text, "content_hash": content_hash(text, None)} for text in texts
    ]
    append(warehouse, "feedback.items", rows)
