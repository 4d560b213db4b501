"""What "now" and "today" mean for a digest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from feedback.model import utc_now
from feedback.warehouse.base import Warehouse


def as_of(warehouse: Warehouse, given: datetime | None, uses_clock: bool) -> datetime:
    """Return the instant that windows end at: as given, else the clock, else the newest thing anybody said.

    Files are read long after they were written; by the clock everything in them would be old.
    """
    if given or uses_clock:
        return given or utc_now()
    newest: datetime | None = warehouse.rows("select max(last_activity_at) as newest from feedback.items")[0]["newest"]
    return newest or utc_now()


def local_day(instant: datetime, timezone: str) -> date:
    """Return the day that people in this time zone call it."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def end_of(day: date, now: datetime, timezone: str) -> datetime:
    """Return the last instant of a local day, or now where the day is not over."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
    return min(now, midnight.astimezone(UTC).replace(tzinfo=None) - timedelta(microseconds=1))
