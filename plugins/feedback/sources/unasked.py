"""Which texts no model is asked about."""

from __future__ import annotations

import re

from feedback.text.redaction import PLACEHOLDER

SHORTCODE = re.compile(r":[a-z0-9_+'-]+:")
KEYCAP = re.compile(r"[0-9#*]\ufe0f?\u20e3")
SPEAKER = re.compile(r"^(?:Speaker [A-Z]+|Slackbot): ", re.MULTILINE)
WORD = re.compile(r"[^\W_]")


def unasked_reason(text: str) -> str | None:
    """Return why a text is not asked about: ``no_words`` (none but masked ones), ``emoji_only``; None: it is asked."""
    if not text:
        return "no_words"
    bare = KEYCAP.sub("", SHORTCODE.sub("", SPEAKER.sub("", text)))
    if not WORD.search(bare):
        return "emoji_only"
    return None if WORD.search(PLACEHOLDER.sub("", bare)) else "no_words"
