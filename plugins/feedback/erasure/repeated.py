"""What others' rows repeat of an author's words: a shared message, the root of a broadcast reply, a topic."""

from __future__ import annotations

import json
from typing import Any

from feedback.erasure.scope import MESSAGES, SLACK, Author
from feedback.sources.forgotten import without_theirs
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import RAW

CHANNELS, HISTORY = "raw.slack_channels", f"{MESSAGES}_history"
COLUMNS = {
    MESSAGES: f"{RAW[MESSAGES].row_key} as row_key, {RAW[MESSAGES].item_id} as item_id",
    HISTORY: f"{RAW[MESSAGES].row_key} as row_key, valid_from",
    CHANNELS: f"{RAW[CHANNELS].row_key} as row_key",
}
"""What identifies a row, for each table whose payloads may repeat somebody's words."""

Rows = list[dict[str, Any]]


def repeating(warehouse: Warehouse, author: Author | None) -> dict[str, Rows]:
    """Return by table the rows that repeat an author's words inside: what identifies them, and the payload without."""
    if author is None or author.source != SLACK:
        return {table: [] for table in COLUMNS}
    return {table: _rows(warehouse, table, author.name) for table in COLUMNS}


def _rows(warehouse: Warehouse, table: str, user: str) -> Rows:
    found = warehouse.rows(
        f"select {COLUMNS[table]}, payload from {table} where cast(payload as varchar) like ?", (f'%"{user}"%',)
    )
    payloads = [json.loads(row["payload"]) for row in found]
    kept = [without_theirs(payload, lambda name: name == user) for payload in payloads]
    return [
        {**row, "payload": json.dumps(new, ensure_ascii=False)}
        for row, old, new in zip(found, payloads, kept, strict=True)
        if new != old
    ]
