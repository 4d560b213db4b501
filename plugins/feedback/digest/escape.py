"""Make other people's words harmless to show: customers' and models' alike, in Slack and in HTML.

HTML itself is escaped by the template; here is what it leaves through: invisible characters, endless
text, links to elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

ZWJ = "\u200d"
ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
PERMALINK = re.compile(r"https://([a-z0-9.-]+)/[A-Za-z0-9/._~%?=&:,@+-]*")
OUR_HOSTS = re.compile(r"[a-z0-9-]+(?:\.enterprise)?\.slack\.com|play\.google\.com|apps\.apple\.com|itunes\.apple\.com")


def plain(text: str) -> str:
    """Return the text on one line, without control, bidirectional, zero-width or unassigned characters.

    Only the joiner inside an emoji stays: without it one family becomes four people.
    """
    kept: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character.isspace() or category in ("Zl", "Zp"):
            kept.append(" ")
        elif category[0] != "C" or (character == ZWJ and kept and _is_emoji(kept[-1])):
            kept.append(character)
    return " ".join("".join(kept).rstrip(ZWJ).split())


def cut(text: str, most: int) -> str:
    """Return at most ``most`` characters, ended by an ellipsis where some are missing, whole as people see them."""
    if len(text) <= most:
        return text
    kept = ""
    for cluster in _clusters(text):
        if len(kept) + len(cluster) > most - 1:
            break
        kept += cluster
    return kept.rstrip() + "…"


def for_slack(text: str, most: int) -> str:
    """Return other people's words as Slack shows them and never reads them, at most ``most`` characters long.

    Counted after escaping, as Slack counts, and never cut inside an entity.
    """
    words = plain(text[: 8 * most])
    room = most
    while len(escaped := _escape(cut(words, room))) > most:
        room -= max(1, (len(escaped) - most) // 5)
    return escaped


def from_slack(text: str) -> str:
    """Return the words that ``for_slack`` escaped."""
    for character, entity in reversed(ENTITIES):
        text = text.replace(entity, character)
    return text


def our_link(url: str | None, hosts: Collection[str] = ()) -> str | None:
    """Return a permalink that leads to Slack, a store or one of the hosts; anything else is no link."""
    found = PERMALINK.fullmatch(url) if url and len(url) <= 500 else None
    return url if found and (found[1] in hosts or OUR_HOSTS.fullmatch(found[1])) else None


def _escape(text: str) -> str:
    for character, entity in ENTITIES:
        text = text.replace(character, entity)
    return text


def _clusters(text: str) -> Iterator[str]:
    """Yield what people see as one character: a letter with its accents, an emoji with its parts, a flag."""
    cluster = ""
    for character in text:
        if cluster and not _continues(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    yield cluster


def _continues(cluster: str, character: str) -> bool:
    if _is_flag_half(character):
        return len(cluster) == 1 and _is_flag_half(cluster)
    joined = cluster[-1] == ZWJ or character == ZWJ
    skin = "\U0001f3fb" <= character <= "\U0001f3ff"
    return joined or skin or unicodedata.category(character)[0] == "M"


def _is_emoji(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") or character == "\ufe0f"


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
