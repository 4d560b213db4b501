"""What the next run of a Slack workspace would cost, told from what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from feedback.sources.base import Expected, Past
from feedback.sources.slack_api.pace import PER_MINUTE
from feedback.sources.slack_api.reading import SLICE_DAYS
from feedback.sources.slack_api.state import RESCAN_DAYS, Covered, days_before, days_between
from feedback.sources.slack_api.stretch import HOT_DAYS
from feedback.sources.slack_api.walk import MESSAGES_A_PAGE
from feedback.sources.slack_rows import instant

# Of the last thirty days, by channel: what a walk shows, all messages, and the threads.
SPOKEN = """
    select
        m.channel_id, count(*) as messages,
        count_if(m.ts = m.thread_ts or m.subtype = 'thread_broadcast') as shown,
        count(distinct case when m.ts <> m.thread_ts then m.thread_ts end) as threads
    from raw.slack_messages as m
    where m.team_id = ? and m.ts >= ? and not m.is_deleted
    group by m.channel_id
"""
HOT = """
    select count(*) as n from ops.slack_threads
    where team_id = ? and latest_reply > ? and (last_full_read_at is null or last_full_read_at < ?)
"""


@dataclass(frozen=True)
class _Cost:
    """Calls of the two methods that cost time; each has its own limit, so they do not add up."""

    history: float = 0.0
    replies: float = 0.0

    def __add__(self, other: _Cost) -> _Cost:
        return _Cost(self.history + other.history, self.replies + other.replies)

    @property
    def calls(self) -> float:
        return self.history + self.replies

    @property
    def minutes(self) -> float:
        of_history = self.history / PER_MINUTE["conversations.history"]
        return max(of_history, self.replies / PER_MINUTE["conversations.replies"])


def expected(past: Past, team: str, states: Sequence[Covered], start: str, pin: str, minutes: float) -> Expected:
    """Return the cost of the next run.

    :param states: of each channel that is read.
    :param minutes: most of them that a run may take.
    """
    spoken = past.rows(SPOKEN, (team, days_before(pin, RESCAN_DAYS)))
    a_day = {name: sum(row[name] for row in spoken) / _days(states, pin) for name in ("messages", "threads")}
    away = max((days_between(one.newest, pin) for one in states if one.newest), default=0.0)
    news = _news(past, team, spoken, states, pin) + _Cost(replies=a_day["threads"] * away)
    load = _first_load(states, start, pin, a_day["threads"] / max(1, len(spoken)))
    total = news + load
    runs = max(1, ceil(total.minutes / minutes))
    share = min(1.0, minutes / total.minutes) if total.minutes else 1.0
    return Expected(
        calls=ceil(total.calls * share) + 2,
        minutes=total.minutes * share,
        rows=None if load.calls else round(a_day["messages"] * away),
        runs=runs,
        note=_note(bool(spoken), load, news, minutes),
    )


def _news(past: Past, team: str, spoken: Sequence[Mapping[str, Any]], states: Sequence[Covered], pin: str) -> _Cost:
    """The walks of thirty days, and the threads that are read whole once a day."""
    midnight = datetime.combine(instant(pin).date(), datetime.min.time())
    hot = past.rows(HOT, (team, days_before(pin, HOT_DAYS), midnight))
    further = sum(row["shown"] // MESSAGES_A_PAGE for row in spoken)
    return _Cost(sum(bool(one.newest) for one in states) + further, hot[0]["n"] if hot else 0)


def _first_load(states: Sequence[Covered], start: str, pin: str, threads_a_day: float) -> _Cost:
    """What is not loaded yet, as lively as what is."""
    days = [max(0.0, days_between(start, one.oldest or pin)) for one in states]
    return _Cost(sum(ceil(one / SLICE_DAYS) for one in days), sum(days) * threads_a_day)


def _days(states: Sequence[Covered], pin: str) -> float:
    """How many of the last thirty days are loaded, in the channel that is loaded furthest."""
    loaded = [days_between(one.oldest, pin) for one in states if one.oldest]
    return max(1.0, min(float(RESCAN_DAYS), max(loaded, default=0.0)))


def _note(is_known: bool, load: _Cost, news: _Cost, minutes: float) -> str:
    if load.calls and not is_known:
        return "at least: how much the channels hold is known when some of it is read"
    if news.minutes > minutes:
        return f"a day has more than fits into a run: set FEEDBACK_SLACK_MINUTES to {ceil(news.minutes) + 5}"
    return ""
