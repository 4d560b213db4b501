"""A helpdesk's table in the warehouse, filled as a test says, and what becomes of it in raw."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from feedback.sources.table import TableSource
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import append

NOON = datetime(2026, 11, 2, 12)
COLUMNS = "ticket_id integer, body varchar, subject varchar, sent timestamp_ntz, moved timestamp_ntz, secret varchar"
TICKETS = TableSource(
    name="tickets", table="helpdesk.tickets", key="ticket_id", text="body", title="subject", posted_at="sent"
)


def but(**changes: Any) -> TableSource:
    """The source with other settings."""
    return replace(TICKETS, **changes)


def ticket(number: int | None, body: str | None = "It crashes", **more: Any) -> dict[str, Any]:
    """A row of the table; it was sent and last moved at noon."""
    return {"ticket_id": number, "body": body, "sent": NOON, "moved": NOON, **more}


def put(warehouse: Warehouse, *rows: dict[str, Any], columns: str = COLUMNS, name: str = "tickets") -> None:
    """Make the table anew, with these rows."""
    steps: list[Any] = ["create schema if not exists helpdesk", f"create or replace table helpdesk.{name} ({columns})"]
    for row in rows:
        marks = ", ".join("?" * len(row))
        steps.append((f"insert into helpdesk.{name} ({', '.join(row)}) select {marks}", list(row.values())))
    warehouse.transact(steps)


def alive(warehouse: Warehouse) -> dict[str, str | None]:
    """The bodies in raw that are not deleted, by id."""
    rows = warehouse.rows("select id, body from raw.texts where not is_deleted order by id")
    return {row["id"]: row["body"] for row in rows}


def publish_all(warehouse: Warehouse) -> None:
    """Items of every text, as a gate would publish them."""
    about = {"source": "tickets", "source_key": "k", "channel_or_app": "c", "text": "t", "visibility": "public"}
    about |= {"posted_at": NOON, "last_activity_at": NOON, "message_count": 1, "author_count": 1}
    about |= {
        "updated_at": datetime(2100, 1, 1),
        "has_reply_by_team": False,
        "content_hash": "h",
        "is_askable": True,
        "first_run_id": "r",
        "run_id": "r",
    }
    append(warehouse, "feedback.items", [{**about, "item_id": f"tickets:{one}"} for one in alive(warehouse)])
