"""How many tokens a text is, without any service's tokenizer: an estimate to plan by, a bound to hold money by."""

from __future__ import annotations

CHARS_PER_TOKEN = 4
"""Of plain English; code and identifiers come shorter, which is why a window is filled only to ``ROOM``."""

ROOM = 0.8
"""Share of a window that estimated tokens may fill."""


def estimate(text: str) -> int:
    """Return about how many tokens a text is: a quarter of its ASCII characters, one for every other character."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    return -(-ascii_chars // CHARS_PER_TOKEN) + len(text) - ascii_chars


def most(text: str) -> int:
    """Return a number that no byte-level tokenizer exceeds: the bytes of the text."""
    return len(text.encode("utf-8", "surrogatepass"))
