"""A text as the offline model reads it: its sentences, how each feels, the names in it, and passages to quote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

END = re.compile(r"[.!?…]+(?=\s|$)|[。！？]+")
"""Where a sentence ends: not inside 4.2.2 or example.com."""

SHORT = 25
"""A sentence of fewer characters says little by itself: it is read together with the next one of its line."""

WORD = re.compile(r"[^\W\d_]{3,30}")
MOST_WORDS = 150
"""How many different words of a text are compared; what it is about is said early."""

PREFIX = re.compile(r"^\s*(?:Speaker [A-Z]+:|[-*•>])\s+")
"""Who speaks in a thread, and the sign before an entry of a list."""

QUOTE_CHARS = 200

CUE = re.compile(
    r"\b(?:than|like|unlike|versus|vs\.?|using|uses?|used|to|from|with|via|of)\s+"
    r"([A-Z]\w*[a-z0-9]\w*(?: [A-Z]\w*[a-z0-9]\w*)?)"
)
"""Words after which English puts a name."""

CAPITAL = re.compile("[A-Z]")
INNER_CAPITAL = re.compile(r"\b[A-Z]?[a-z]{2,}[A-Z][A-Za-z]+\b")
NO_NAMES = frozenset(
    (
        *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December", "Speaker", "Europe", "Germany", "German"),
        *("English", "French", "Spanish", "Italian", "Portuguese", "Russian", "Chinese", "Japanese", "Korean"),
    )
)
"""Capitalised words that name no product."""


@dataclass(frozen=True)
class Said:
    """What a customer said.

    :param feelings: of each sentence, from -1 to 1; ``feeling``: of the whole.
    """

    words: Sequence[str]
    sentences: Sequence[str]
    feelings: Sequence[float]
    feeling: float

    def parts(self) -> list[Said]:
        """Return each sentence as something said."""
        return [
            Said(words(sentence), [sentence], [feeling], feeling)
            for sentence, feeling in zip(self.sentences, self.feelings, strict=True)
        ]

    def quote(self, values: Sequence[float]) -> str:
        """Return the sentence with the highest of these values."""
        return passage(self.sentences[values.index(max(values))])


def words(text: str) -> list[str]:
    """Return the different words of a text as they are compared."""
    return list(dict.fromkeys(WORD.findall(text.casefold())))[:MOST_WORDS]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without who speaks; each stands in the text as it is."""
    found = [sentence for line in text.splitlines() for sentence in _in_line(PREFIX.sub("", line).strip())]
    return [sentence for sentence in found if any(char.isalnum() for char in sentence)] or [text.strip()]


def _in_line(line: str) -> list[str]:
    ends = [end.end() for end in END.finditer(line)] + [len(line)]
    cuts = [0]
    for end in ends:
        if end - cuts[-1] >= SHORT:
            cuts.append(end)
    if len(line) > cuts[-1]:
        cuts[max(1, len(cuts) - 1) :] = [len(line)]
    return [line[start:end].strip() for start, end in pairwise(cuts)]


def passage(sentence: str, around: str = "") -> str:
    """Return the sentence, or so much of it around a name as a quote may hold."""
    if len(sentence) <= QUOTE_CHARS:
        return sentence
    start = max(0, sentence.find(around) - QUOTE_CHARS // 2)
    start = sentence.find(" ", start) + 1 if start else 0
    end = sentence.rfind(" ", start, start + QUOTE_CHARS)
    cut = sentence[start : end if end > sentence.find(around) + len(around) else start + QUOTE_CHARS]
    return cut.strip() if around in cut else around


def names(sentence: str) -> Iterator[str]:
    """Find what English writes as a name: an inner capital, or a capital after a word such as ``like``."""
    if not CAPITAL.search(sentence, 1):
        return
    parts = sentence.split()
    if sum(part[:1].isupper() for part in parts) * 2 > len(parts) + 2:  # a title, or a language such as German
        return
    for name in [*INNER_CAPITAL.findall(sentence), *CUE.findall(sentence)]:
        if name.split()[0] not in NO_NAMES:
            yield name
