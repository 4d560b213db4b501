"""Figures in plain English. Every word here is ours, but for what is escaped where it is shown."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from feedback.digest.rising import Theme
from feedback.digest.select import Pick, Selection
from feedback.digest.voices import Voice

NOT_A_MODEL = "offline model, not a language model"
NOTHING_RISES = "Nothing is rising beyond its usual level"
STORES = {"app_store": "App Store", "google_play": "Google Play", "itunes": "App Store feed"}
SAID_IN = {"slack": "thread", **dict.fromkeys(STORES, "review")}
INTENTS = {
    "bug_report": "bug reports",
    "feature_request": "feature requests",
    "question": "questions",
    "complaint": "complaints",
    "praise": "praise",
}
NOUNS = {
    "bug_report": "bug report",
    "feature_request": "feature request",
    "question": "question",
    "complaint": "complaint",
}


def summary(selection: Selection) -> str:
    """Return two sentences: how much was heard, and the one thing to know about it."""
    ending = f", as labelled by the {NOT_A_MODEL}." if selection.is_offline else "."
    return f"{_volume(selection)} {_finding(selection)}{ending}"


def reason(pick: Pick, now: datetime) -> str:
    """Return in a few words what the item is and why it should be read."""
    voice = pick.voice
    why = []
    if voice.is_unanswered:
        why.append(f"asked {age(voice.posted_at, now)}, still no answer")
    if pick.theme:
        why.append("a rising theme")
    if voice.author_count > 2:
        why.append(f"{voice.author_count} people in the thread")
    return sentence(", ".join([_kind(voice), *why]))


def theme_name(theme: Theme, number: int) -> str:
    """Return ``9 bug reports about sync``."""
    return f"{count(number)} {theme_title(theme)}"


def theme_title(theme: Theme) -> str:
    """Return ``bug reports about sync``."""
    return f"{INTENTS.get(theme.intent, words(theme.intent))} about {words(theme.area)}"


def source_name(source: str) -> str:
    """Return how people call a source: ``Google Play``, ``Slack``, ``Support tickets``."""
    return STORES.get(source) or sentence(words(source))


def origin(voice: Voice) -> str:
    """Return where it was said: a channel of Slack, a store, a part of another source."""
    if voice.source == "slack":
        return f"#{voice.channel}"
    name = source_name(voice.source)
    return name if voice.source in STORES or voice.channel == voice.source else f"{name}, {voice.channel}"


def age(then: datetime, now: datetime) -> str:
    """Return how long ago that was, as people say it."""
    hours = max(0, (now - then) // timedelta(hours=1))
    if hours < 1:
        return "just now"
    if hours < 48:
        return f"{hours} hour{'s' * (hours > 1)} ago"
    return f"{hours // 24} days ago"


def stars(rating: int | None) -> str:
    """Return the rating as stars, empty where there is none."""
    return "★" * rating + "☆" * (5 - rating) if rating is not None and 0 <= rating <= 5 else ""


def words(label: str) -> str:
    """Return a label as words and nothing else: ``bug_report`` is bug report, ``sync_and_offline`` sync/offline."""
    return "/".join(re.sub(r"[\W_]+", " ", part).strip() for part in label.split("_and_"))[:60]


def count(number: float) -> str:
    """Return a number as people read it: 12,345; 2.5; 0."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def plural(number: int, thing: str, things: str | None = None) -> str:
    """Return ``1 answer``, ``2 answers``."""
    return f"{count(number)} {thing if number == 1 else things or thing + 's'}"


def sentence(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _volume(selection: Selection) -> str:
    since = f"{selection.window.start.day} {selection.window.start:%B}"
    heard = f"{plural(selection.heard, 'voice')} reached {selection.team.title} since {since}"
    facts = []
    if selection.negative:
        facts.append(plural(selection.negative, "unhappy customer"))
    if selection.unanswered:
        facts.append(plural(selection.unanswered, "question nobody has answered", "questions nobody has answered"))
    return f"{heard}: {' and '.join(facts)}." if facts else f"{heard}, and nobody among them is unhappy."


def _finding(selection: Selection) -> str:
    if selection.themes:
        theme = selection.themes[0]
        usual = count(round(theme.usual)) if theme.usual >= 1 else "next to none"
        risen = f"{theme_name(theme, theme.now)} came in a week that usually brings {usual}"
        others = len(selection.themes) - 1
        return risen + (f", and {plural(others, 'other theme is', 'other themes are')} rising too" if others else "")
    if selection.sore_spot and selection.sore_spot[1] > 1:
        area, number = selection.sore_spot
        return f"{NOTHING_RISES}; {words(area)} hurts most, with {plural(number, 'unhappy customer')}"
    return NOTHING_RISES


def _kind(voice: Voice) -> str:
    """Return ``1-star bug report about sync`` or ``unhappy question about billing``."""
    noun = NOUNS.get(voice.intent or "") or SAID_IN.get(voice.source, "message")
    about = f" about {' and '.join(words(area) for area in voice.areas[:2])}" if voice.areas else ""
    if voice.rating is not None:
        return f"{voice.rating}-star {noun}{about}"
    return f"unhappy {noun}{about}" if voice.is_negative else f"{noun}{about}"
