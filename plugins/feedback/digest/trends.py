"""How often each label was given, week by week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from feedback.digest.rising import WEEK
from feedback.warehouse.base import Warehouse

WEEKS = 12
SENTIMENTS = ("negative", "mixed", "neutral", "positive")
COUNTS = """
    select a.label, {week} as week, count(*) as n
    from feedback.{enrichment} a
    join feedback.items i on i.item_id = a.item_id
    where i.posted_at > ? and i.posted_at <= ?
    group by 1, 2
    order by 1, 2
"""
FIRST = "select min(posted_at) as first from feedback.items where posted_at > ? and posted_at <= ?"


@dataclass(frozen=True)
class Trend:
    """How often one label was given, oldest week first."""

    label: str
    weeks: tuple[int, ...]

    @property
    def total(self) -> int:
        """In all weeks together."""
        return sum(self.weeks)

    @property
    def change(self) -> int:
        """The last week against the one before."""
        return self.weeks[-1] - self.weeks[-2] if len(self.weeks) > 1 else 0


@dataclass(frozen=True)
class Trends:
    """Every trend of a report over the same weeks.

    :param starts: first day of each week, oldest first; the last week ends at the as-of.
    """

    starts: tuple[datetime, ...]
    sentiment: tuple[Trend, ...]
    intent: tuple[Trend, ...]
    area: tuple[Trend, ...]

    @property
    def unhappy(self) -> tuple[float | None, ...]:
        """The share of unhappy voices, week by week; ``None`` for a week in which no feeling is known."""
        by_label = {trend.label: trend.weeks for trend in self.sentiment}
        said = [sum(week) for week in zip(*by_label.values(), strict=True)]
        return tuple(bad / n if n else None for bad, n in zip(by_label.get("negative", ()), said, strict=True))


def trends(warehouse: Warehouse, as_of: datetime) -> Trends:
    """Count labels over the last weeks that anything was said in."""
    weeks = _weeks_known(warehouse, as_of)
    starts = tuple(as_of - WEEK * (weeks - number) for number in range(weeks))
    sentiment = {trend.label: trend for trend in _counted(warehouse, "sentiment", as_of, weeks)}
    zero = tuple([0] * weeks)
    return Trends(
        starts=starts,
        sentiment=tuple(sentiment.get(label, Trend(label, zero)) for label in SENTIMENTS) if sentiment else (),
        intent=tuple(_counted(warehouse, "intent", as_of, weeks)),
        area=tuple(_counted(warehouse, "area", as_of, weeks)),
    )


def _counted(warehouse: Warehouse, enrichment: str, as_of: datetime, weeks: int) -> list[Trend]:
    if not weeks:
        return []
    bounds = [as_of - WEEK * (number + 1) for number in range(weeks)]
    cases = " ".join(f"when i.posted_at > ? then {weeks - 1 - number}" for number in range(weeks))
    sql = COUNTS.format(week=f"case {cases} end", enrichment=enrichment)
    counts: dict[str, list[int]] = {}
    for row in warehouse.rows(sql, (*bounds, bounds[-1], as_of)):
        counts.setdefault(row["label"], [0] * weeks)[row["week"]] = row["n"]
    found = [Trend(label, tuple(weekly)) for label, weekly in counts.items()]
    return sorted(found, key=lambda trend: (-trend.total, trend.label))


def _weeks_known(warehouse: Warehouse, as_of: datetime) -> int:
    first = warehouse.rows(FIRST, (as_of - WEEK * WEEKS, as_of))[0]["first"]
    return (as_of - first) // WEEK + 1 if first else 0
