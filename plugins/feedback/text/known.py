"""Texts that say what many others have said word for word."""

from __future__ import annotations

import re

BETWEEN = re.compile(r"[\s.,!…]+")
LONGEST = 40
"""No longer text is written twice by chance."""


def worded(text: str) -> str:
    """Return a short text as such texts are compared: without case, full stops and exclamation marks; empty if long.

    An emoji or a question mark may change what it says, so those stay.
    """
    return "" if len(text) > LONGEST else BETWEEN.sub(" ", text.casefold()).strip()
