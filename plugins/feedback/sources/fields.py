"""Single values of a review, as stores write them, to what a column holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from feedback.sources.json_file import clean


class BadRowError(ValueError):
    """A row that is no review; its text says why, never what it holds."""


def text(value: Any) -> str | None:
    """Return what is written, without space around it; None where nothing is."""
    return clean(value).strip() or None if isinstance(value, str) else None


def instant(value: Any) -> datetime | None:
    """Return the UTC of an ISO instant, without zone; None where it is none."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, TypeError, OverflowError):
        return None


def inner(value: Any, *names: str) -> Any:
    """Return what is found under a path of names in JSON; None where there is nothing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
