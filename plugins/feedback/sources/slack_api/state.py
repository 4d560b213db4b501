"""What is known of a channel between runs: how far it is read, both ways, and when it was last audited."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from feedback.model import digest
from feedback.sources.base import Past

RESCAN_DAYS = 30
"""How old a root may be and still be looked at by every run; older ones are for the audit."""
AUDIT_DAYS = 30
"""How many days the audit takes to come round."""
EPOCH = datetime(1970, 1, 1)


def stamp(instant: datetime) -> str:
    """Return an instant as Slack writes it. Slack's timestamps sort as text: they have ten digits since 2001."""
    seconds, rest = divmod(instant - EPOCH, timedelta(seconds=1))
    return f"{seconds}.{rest.microseconds:06d}"


def day(ts: str) -> date:
    """Return the UTC day of a timestamp."""
    return datetime.fromtimestamp(int(ts.partition(".")[0]), UTC).date()


def days_before(ts: str, days: float) -> str:
    """Return the timestamp so many days earlier."""
    seconds, _, rest = ts.partition(".")
    return f"{int(seconds) - round(days * 86_400)}.{rest}"


def days_between(earlier: str, later: str) -> float:
    """Return how many days lie between two timestamps."""
    return (float(later) - float(earlier)) / 86_400


@dataclass
class Covered:
    """The stretch of a channel that is read whole.

    :param newest: up to where; empty before the first slice, as is ``oldest``: back to where.
    :param audit: number of the last audit.
    """

    newest: str = ""
    oldest: str = ""
    audit: int | None = None

    def rescan_from(self) -> str:
        """Where the next run begins: thirty days before the last one ended, inside what is loaded.

        So a reply that comes within thirty days after its root is met, however long after it the next run comes.
        """
        return max(days_before(self.newest, RESCAN_DAYS), self.oldest)

    def memory(self, source: str, part: str) -> dict[str, Any]:
        """Return the row that remembers it."""
        return {"source": source, "part": part, "state": asdict(self)}


def part_of(team: str, channel: str) -> str:
    """Return the part of ``ops.source_state`` that is about a channel."""
    return f"{team}/{channel}"


def covered(past: Past, part: str) -> Covered:
    """Return what is remembered of a channel; nothing of one that is new."""
    return Covered(**past.state.get(part, {}))


def audit_of(channel: str, today: date) -> int:
    """Return the number of the audit that is due: each day one channel in thirty comes to a new one."""
    return (today.toordinal() + int(digest(channel)[:8], 16)) // AUDIT_DAYS
