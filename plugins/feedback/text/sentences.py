"""A text as numbered sentences, so that a model can point at a customer's words instead of repeating them."""

from __future__ import annotations

import re
from itertools import pairwise

END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』）]*")
"""Where a sentence ends: not inside 4.2.2 or example.com."""

SHORT = 25
"""A sentence of fewer characters says little by itself: it is numbered together with the next one of its line."""

LONG = 240
"""More characters are no quote any more: such a sentence is cut between words, or where there is no space."""

SPEAKER = re.compile(r"^(?:Speaker [A-Z]+:|[-*•>])\s+(?=\S)")
"""Who speaks in a thread, and the sign before an entry of a list: no part of what is said."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, none of them blank; each stands in the text letter by letter.

    Together they hold every character of the text but white space at their edges.
    """
    return [part for line in text.splitlines() for part in _in_line(line.strip()) if part]


def without_speaker(sentence: str) -> str:
    """Return what is said in a sentence, without who says it: what may be quoted."""
    return SPEAKER.sub("", sentence)


def _in_line(line: str) -> list[str]:
    cuts = [0]
    for end in END.finditer(line):
        if end.end() - cuts[-1] >= SHORT:
            cuts.append(end.end())
    if len(cuts) > 1 and len(line) - cuts[-1] < SHORT:
        cuts.pop()
    return [part for start, end in pairwise([*cuts, len(line)]) for part in _short(line[start:end].strip())]


def _short(sentence: str) -> list[str]:
    parts = []
    while len(sentence) > LONG:
        cut = sentence.rfind(" ", LONG // 2, LONG)
        cut = LONG if cut < 0 else cut
        parts.append(sentence[:cut].rstrip())
        sentence = sentence[cut:].lstrip()
    return [*parts, sentence]
