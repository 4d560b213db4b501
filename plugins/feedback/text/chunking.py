"""A text too long for a model, in parts it can take; joined they are the text again, nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

BOUNDARIES = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?…。！？]+\s+"), re.compile(r"\s+"))
"""Where to cut, best first: after a paragraph, a line, a sentence, a word."""


def chunks(text: str, most: int, size: Callable[[str], int] = len) -> list[str]:
    """Cut a text into parts of at most ``most`` by ``size``, at the best boundary in the later half of each.

    :param size: measures a text; adding characters never makes it smaller, and one character is at most ``most``.
    """
    parts = []
    while size(text) > most:
        cut = _cut(text, _longest(text, most, size))
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text] if text or not parts else parts


def _longest(text: str, most: int, size: Callable[[str], int]) -> int:
    """Return how many leading characters fit; at least one, so that cutting ends."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle]) <= most else (low, middle - 1)
    return low


def _cut(text: str, limit: int) -> int:
    head = text[:limit]
    for boundary in BOUNDARIES:
        ends = [match.end() for match in boundary.finditer(head) if match.end() > limit // 2]
        if ends:
            return ends[-1]
    return limit
