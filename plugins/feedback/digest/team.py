"""A team and what it wants to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feedback.digest.rising import Theme
from feedback.digest.voices import Voice
from feedback.errors import SettingError


@dataclass(frozen=True)
class Focus:
    """One kind of feedback: each field that is given must match, an empty one matches everything."""

    areas: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def matches(self, voice: Voice) -> bool:
        """Say whether an item is of this kind."""
        language = (voice.language or "").split("-")[0].lower()
        return (
            self._is_about(voice.areas, voice.intent)
            and (not self.sources or voice.source in self.sources)
            and (not self.channels or voice.channel in self.channels)
            and (not self.languages or language in self.languages)
        )

    def follows(self, theme: Theme) -> bool:
        """Say whether a theme is of this kind: it has an area and an intent, and comes from everywhere."""
        return self._is_about((theme.area,), theme.intent)

    def _is_about(self, areas: Sequence[str], intent: str | None) -> bool:
        about_area = not self.areas or any(area in self.areas for area in areas)
        return about_area and (not self.intents or intent in self.intents)


@dataclass(frozen=True)
class Team:
    """Who reads a digest.

    :param name: as file names and post keys carry it: small letters, digits, hyphens.
    :param title: as people say it.
    :param focus: what the team reads; any of them is enough.
    :param takes_rest: also reads what no team's focus matches, so that nothing that matters is unread.
    :param channel: of Slack, by id, where its digest goes, if not where all others go.
    """

    name: str
    title: str
    focus: tuple[Focus, ...]
    takes_rest: bool = False
    channel: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.name):
            raise SettingError(f"include/teams.py: a team cannot be named {self.name!r}: use small letters and hyphens")

    def wants(self, voice: Voice) -> bool:
        """Say whether an item is one of those the team reads."""
        return any(focus.matches(voice) for focus in self.focus)

    def follows(self, theme: Theme) -> bool:
        """Say whether a theme is one that the team is told of."""
        return any(focus.follows(theme) for focus in self.focus)
