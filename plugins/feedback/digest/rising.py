"""Which themes are said more often than usual. A theme is a product area with an intent: bug reports about sync."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedback.warehouse.base import Warehouse

WEEK = timedelta(days=7)
TRAILING_WEEKS = 4
LEAST_HISTORY = 2
LEAST_SUPPORT = 4
"""Fewer voices than this are no theme, however unusual."""
LEAST_RISE = 2.0
TROUBLE = ("bug_report", "complaint", "feature_request", "question")

COUNTS = """
    select a.label as area, n.label as intent, count(distinct i.item_id) as voices,
        case when i.posted_at > ? then 0 when i.posted_at > ? then 1 when i.posted_at > ? then 2
             when i.posted_at > ? then 3 else 4 end as week
    from feedback.items i
    join feedback.area a on a.item_id = i.item_id
    join feedback.intent n on n.item_id = i.item_id
    where i.visibility = 'public' and i.posted_at > ? and i.posted_at <= ?
    group by 1, 2, 4
    order by 1, 2, 4
"""


@dataclass(frozen=True)
class Theme:
    """How often something was said, by week, newest first."""

    area: str
    intent: str
    weeks: tuple[int, ...]

    @property
    def now(self) -> int:
        """Voices in the last seven days."""
        return self.weeks[0]

    @property
    def usual(self) -> float:
        """Voices in a usual week: the median of the weeks before, which one odd week does not move."""
        return statistics.median(self.weeks[1:])

    @property
    def rise(self) -> float:
        """How unusual the last week is, in what chance alone would spread the counts by."""
        return (self.now - self.usual) / math.sqrt(self.usual + 1)


def rising(warehouse: Warehouse, as_of: datetime) -> tuple[Theme, ...]:
    """Return the troubles that rise beyond chance, steepest first; none while there is too little to compare with."""
    return tuple(theme for theme in themes(warehouse, as_of) if is_rising(theme))


def is_rising(theme: Theme) -> bool:
    """Say whether a theme has enough voices and enough more than usual."""
    return theme.intent in TROUBLE and theme.now >= LEAST_SUPPORT and theme.rise >= LEAST_RISE


def themes(warehouse: Warehouse, as_of: datetime) -> list[Theme]:
    """Count every theme by week, over as many of the trailing weeks as there are items for."""
    trailing = _weeks_known(warehouse, as_of)
    if trailing < LEAST_HISTORY:
        return []
    starts = [as_of - WEEK * (week + 1) for week in range(TRAILING_WEEKS)]
    counts: dict[tuple[str, str], list[int]] = {}
    for row in warehouse.rows(COUNTS, (*starts, as_of - WEEK * (trailing + 1), as_of)):
        weeks = counts.setdefault((row["area"], row["intent"]), [0] * (trailing + 1))
        weeks[row["week"]] += row["voices"]
    return sorted((Theme(*key, tuple(weeks)) for key, weeks in counts.items()), key=_steepest)


def named(themes: Sequence[Theme], areas: Sequence[str], intent: str | None) -> Theme | None:
    """Return the steepest of the themes that an item with these labels belongs to."""
    return next((theme for theme in themes if theme.intent == intent and theme.area in areas), None)


def _weeks_known(warehouse: Warehouse, as_of: datetime) -> int:
    first = warehouse.rows("select min(posted_at) as first from feedback.items where posted_at <= ?", (as_of,))[0][
        "first"
    ]
    return min(TRAILING_WEEKS, (as_of - first) // WEEK - 1) if first else 0


def _steepest(theme: Theme) -> tuple[float, str, str]:
    return -theme.rise, theme.area, theme.intent
