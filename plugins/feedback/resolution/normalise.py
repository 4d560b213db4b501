"""Names as they are compared: one string for all the ways a name is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from feedback.model import digest

ABBREVIATION = re.compile(r"\b([^\W\d_])\.(?=[^\W\d_]\b|\W|$)")
"""The dots of S.A. and s.r.o., which would otherwise become words of one letter."""

LEGAL_SUFFIX = re.compile(
    r"ag|aps|bhd|bv|co|corp|corporation|doo|gmbh|inc|incorporated|kft|kg|kgaa|limited|llc|llp|ltd|nv|oy|oyj|plc|pte|pty"
    r"|pvt|sa|sarl|sas|sro|srl|ug|zrt"
)
"""What says only how a company is registered. SE, AS and Company stay: they end names of products too."""

MOST_COMPARED = 120
"""Characters of a name; what is longer is none."""

ADDRESS = re.compile(r"(?:https?|ftp|www) ")
"""How the address of a page begins once it is folded."""


@lru_cache(maxsize=10_000)
def norm(surface: str) -> str:
    """Return the name as compared: folded, without punctuation and legal suffix; comparing it again changes nothing.

    Never empty where something can be seen: a name of nothing but signs stands for itself.
    """
    while (folded := _folded(surface)) != surface:
        surface = folded
    return surface


def latin(norm: str) -> str:
    """Return a compared name in Latin letters, as far as its script can be read letter by letter."""
    if norm.isascii():
        return norm
    from text_unidecode import unidecode

    return " ".join(unidecode(norm).casefold().split()) or norm


def is_comparable(norm: str) -> bool:
    """Say whether letters can tell a name's likeness: not of signs, one character, an address or a whole text."""
    return 2 <= len(norm) <= MOST_COMPARED and any(map(str.isalnum, norm)) and not ADDRESS.match(norm)


def mention_id(item_id: str, kind: str, norm: str) -> str:
    """Return the id of a name in an item, however often and in whatever spelling it stands there."""
    return digest(item_id, kind, norm)[:16]


def _folded(surface: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", surface).casefold())
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    words = _words(ABBREVIATION.sub(r"\1", text.replace("'", "").replace("’", "")))
    while len(words) > 1 and LEGAL_SUFFIX.fullmatch(words[-1]):
        words.pop()
    return " ".join(words) or " ".join(text.split())


def _words(text: str) -> list[str]:
    """Split at whatever is neither letter, mark nor digit; C++ and C# keep their signs."""
    kept = ""
    for char in text:
        belongs = unicodedata.category(char)[0] in "LMN" or (char in "+#" and kept[-1:].strip())
        kept += char if belongs else " "
    words = kept.split()
    return words if any(char.isalnum() for char in kept) else []


def commonest(spellings: Mapping[str, int]) -> str:
    """Return how a name is written most often.

    :param spellings: how often it is written in which way.
    """
    return min(spellings, key=lambda surface: (-spellings[surface], surface))
