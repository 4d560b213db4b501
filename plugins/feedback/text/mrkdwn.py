"""Slack's mrkdwn to plain text: entities, emphasis, emoji. Code stays as it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
ENTITY = re.compile(r"<([^<>\n]+)>")
EMPHASIS = tuple(  # where Slack sees it: not inside a word, a path or an address
    re.compile(rf"(?<![^\s(\[{{\"'>{others}-]){mark}(?!\s)([^{mark}\n]+)(?<!\s){mark}(?![^\s.,;:!?)\]}}\"'<{others}-])")
    for mark, others in ((r"\*", "_~"), ("_", "*~"), ("~", "*_"))
)
SHORTCODE = re.compile(r":[a-z0-9_+'-]+:")
SKIN_TONE = re.compile(r":skin-tone-([2-6]):")
URL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True)
class Names:
    """How ids are spoken of in plain text.

    :param user: what stands for a user id; a letter inside a thread, never a name.
    :param channels: name by channel id.
    """

    user: Callable[[str], str]
    channels: Mapping[str, str] = field(default_factory=dict)


def plain(text: str, names: Names) -> str:
    """Return what a reader of the message sees, as plain text."""
    parts = CODE.split(text)
    return "".join(_code(part, names) if index % 2 else _prose(part, names) for index, part in enumerate(parts))


def emojis(text: str) -> str:
    """Return the text with :shortcodes: as characters; those of a workspace's own stay."""
    if not SHORTCODE.search(text):
        return text
    import emoji

    toned = SKIN_TONE.sub(lambda tone: chr(0x1F3FB + int(tone.group(1)) - 2), text)
    return str(emoji.emojize(toned, language="alias"))


def unescape(text: str) -> str:
    """Return the text with Slack's three escapes undone, the ampersand last."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def link(url: str, label: str) -> str:
    """Return a link as text: nothing of it is lost, nothing is said twice."""
    if not label or label == url:
        return url
    return label if label in url else f"{label} ({url})"


def _code(text: str, names: Names) -> str:
    return unescape(ENTITY.sub(lambda entity: _entity(entity, names), text))


def _prose(text: str, names: Names) -> str:
    text = ENTITY.sub(lambda entity: _entity(entity, names), text)
    for emphasis in EMPHASIS:
        text = emphasis.sub(r"\1", text)
    return unescape(emojis(text))


def _entity(entity: re.Match[str], names: Names) -> str:
    target, _, label = entity.group(1).partition("|")
    if target.startswith("@"):
        return "@" + names.user(target[1:])
    if target.startswith("#"):
        return "#" + (label or names.channels.get(target[1:]) or target[1:])
    if target.startswith("!"):
        return _special(target[1:], label)
    if URL.match(target):
        return link(re.sub(r"^(?:mailto|tel):", "", target), label)
    return entity.group()


def _special(target: str, label: str) -> str:
    """``<!here>``, ``<!subteam^S1|@support>``, ``<!date^1700000000^{date}|Nov 14>``."""
    kind, _, rest = target.partition("^")
    if kind == "date":
        return label or date(rest.partition("^")[0])
    if label:
        return "@" + label.removeprefix("@")
    return "@group" if kind == "subteam" else f"@{kind}"


def date(seconds: str) -> str:
    """Return the day of a Unix time; what is none stays as it is."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return seconds
