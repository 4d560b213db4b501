"""What each team should read: open questions, unhappy customers, what is rising. Nothing is read twice by a team."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedback.digest.rising import Theme, named, rising
from feedback.digest.team import Team
from feedback.digest.voices import Voice, voices
from feedback.warehouse.base import Warehouse

ACTIVE_FOR = timedelta(days=7)
OPEN_FOR = timedelta(days=14)
MOST_PICKS = 8
MOST_OF_A_THEME = 3
"""What rises is told once and shown by a few; the rest of the lines are for what would be drowned by it."""


@dataclass(frozen=True)
class Window:
    """What a digest covers: what was active after ``start`` and up to ``end``.

    :param heard_since: when the team's last digest was written, by the clock. What we only learned
        afterwards was in no digest yet, however old it is.
    """

    start: datetime
    end: datetime
    heard_since: datetime | None = None

    def covers(self, voice: Voice) -> bool:
        """Say whether an item belongs into it; an open question does for two weeks."""
        if voice.last_activity_at > self.end:
            return False
        return voice.last_activity_at > self.start or self._is_open(voice) or self._is_late(voice)

    def _is_open(self, voice: Voice) -> bool:
        return voice.is_unanswered and voice.posted_at > self.end - OPEN_FOR

    def _is_late(self, voice: Voice) -> bool:
        is_recent = voice.last_activity_at > self.end - ACTIVE_FOR
        return is_recent and self.heard_since is not None and voice.heard_at > self.heard_since


@dataclass(frozen=True)
class Pick:
    """An item that a team should read, and why."""

    voice: Voice
    theme: Theme | None
    severity: float

    @property
    def quote(self) -> str | None:
        """The published words that show the reason: the question or the fault first, else the feeling."""
        shows = ("intent", "sentiment") if self.voice.is_unanswered or self.theme else ("sentiment", "intent")
        return next((self.voice.quotes[key] for key in (*shows, *self.voice.areas) if key in self.voice.quotes), None)

    @property
    def matters(self) -> bool:
        """Whether there is a reason to read it at all."""
        return self.voice.is_unanswered or self.voice.is_negative or self.theme is not None


@dataclass(frozen=True)
class Selection:
    """What one team should read, worst first, and out of how much.

    :param matters: items the team should know of, shown or not.
    :param sore_spot: the area that most unhappy customers speak of, and how many do.
    """

    team: Team
    window: Window
    picks: tuple[Pick, ...]
    themes: tuple[Theme, ...]
    heard: int
    matters: int
    unanswered: int
    negative: int
    sore_spot: tuple[str, int] | None
    is_offline: bool


def select(warehouse: Warehouse, teams: Sequence[Team], windows: Mapping[str, Window]) -> list[Selection]:
    """Choose for each team that has a window, in the order of the teams; the same rows choose the same items."""
    if not windows:
        return []
    end = max(window.end for window in windows.values())
    heard = voices(warehouse, end - ACTIVE_FOR, end - OPEN_FOR, end)
    themes = rising(warehouse, end)
    return [
        choose(
            team,
            windows[team.name],
            [voice for voice in heard if team in readers(teams, voice)],
            [theme for theme in themes if team in followers(teams, theme)],
        )
        for team in teams
        if team.name in windows
    ]


def readers(teams: Sequence[Team], voice: Voice) -> list[Team]:
    """Return the teams an item is for; where it is for none, those that take the rest."""
    return [team for team in teams if team.wants(voice)] or _takers_of_the_rest(teams)


def followers(teams: Sequence[Team], theme: Theme) -> list[Team]:
    """Return the teams that are told of a theme; where it is for none, those that take the rest."""
    return [team for team in teams if team.follows(theme)] or _takers_of_the_rest(teams)


def choose(team: Team, window: Window, heard: Sequence[Voice], themes: Sequence[Theme]) -> Selection:
    """Choose what a team should read of what its customers said, given the themes that it follows."""
    covered = [voice for voice in heard if window.covers(voice)]
    picks = [pick for pick in (_pick(voice, themes, window.end) for voice in covered) if pick.matters]
    picks.sort(key=lambda pick: (-pick.severity, window.end - pick.voice.last_activity_at, pick.voice.item_id))
    risen = {pick.theme for pick in picks}
    return Selection(
        team=team,
        window=window,
        picks=tuple(varied(picks)[:MOST_PICKS]),
        themes=tuple(theme for theme in themes if theme in risen),
        heard=len(covered),
        matters=len(picks),
        unanswered=sum(voice.is_unanswered for voice in covered),
        negative=sum(voice.is_negative for voice in covered),
        sore_spot=_sore_spot(covered),
        is_offline=any(voice.is_offline for voice in covered),
    )


def varied(picks: Sequence[Pick]) -> list[Pick]:
    """Keep the order, but put what repeats a quote or a theme shown often enough behind everything else."""
    first: list[Pick] = []
    repeats: list[Pick] = []
    quotes: set[str] = set()
    shown: Counter[Theme] = Counter()
    for pick in picks:
        quote = (pick.quote or pick.voice.item_id).casefold()
        is_repeat = quote in quotes or (pick.theme is not None and shown[pick.theme] == MOST_OF_A_THEME)
        (repeats if is_repeat else first).append(pick)
        quotes.add(quote)
        if pick.theme and not is_repeat:
            shown[pick.theme] += 1
    return first + repeats


def severity(voice: Voice, theme: Theme | None, now: datetime) -> float:
    """Return how much an item deserves to be read first: pain, waiting, crowd, rise, freshness, in that order."""
    stars = {1: 3.0, 2: 2.0}.get(voice.rating or 0, 0.0)
    feeling = 2.0 * max(0.0, -(voice.score or 0.0))
    waiting = 3.0 * voice.is_unanswered
    crowd = 0.5 * min(4.0, math.log2(voice.message_count + voice.author_count - 1))
    rise = 1.0 if theme else 0.0
    freshness = 1.0 - min(1.0, (now - voice.last_activity_at) / OPEN_FOR)
    answered = 1.0 * (voice.has_reply_by_team and not voice.is_unanswered)
    return stars + feeling + waiting + crowd + rise + freshness - answered


def _takers_of_the_rest(teams: Sequence[Team]) -> list[Team]:
    return [team for team in teams if team.takes_rest]


def _pick(voice: Voice, themes: Sequence[Theme], now: datetime) -> Pick:
    theme = named(themes, voice.areas, voice.intent)
    return Pick(voice, theme, severity(voice, theme, now))


def _sore_spot(covered: Sequence[Voice]) -> tuple[str, int] | None:
    counts = Counter(area for voice in covered if voice.is_negative for area in voice.areas)
    return min(counts.items(), key=lambda spot: (-spot[1], spot[0])) if counts else None
