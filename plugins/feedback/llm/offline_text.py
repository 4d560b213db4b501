"""A text as the offline model reads it: its sentences, how each feels and the names in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback.text.sentences import without_speaker

WORD = re.compile(r"[^\W\d_]{3,30}")
MOST_WORDS = 150
"""How many different words of a text are compared; what it is about is said early."""

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

    :param numbers: of its sentences in the request.
    :param feelings: of each sentence, from -1 to 1; ``feeling``: of the whole.
    """

    words: Sequence[str]
    numbers: Sequence[int]
    sentences: Sequence[str]
    feelings: Sequence[float]
    feeling: float

    def parts(self) -> list[Said]:
        """Return each sentence as something said."""
        return [
            Said(words(sentence), [number], [sentence], [feeling], feeling)
            for number, sentence, feeling in zip(self.numbers, self.sentences, self.feelings, strict=True)
        ]

    def quote(self, values: Sequence[float]) -> int:
        """Return the number of the sentence with the highest of these values."""
        return self.numbers[values.index(max(values))]


def words(text: str) -> list[str]:
    """Return the different words of a text as they are compared."""
    return list(dict.fromkeys(WORD.findall(text.casefold())))[:MOST_WORDS]


def numbered(text: str) -> list[tuple[int, str]]:
    """Return the sentences of a text as it was sent, each with its number, without who speaks.

    Those without a letter or digit say nothing, unless there is no other.
    """
    lines = [line.partition(" ") for line in text.split("\n") if line]
    found = [(int(number), without_speaker(sentence)) for number, _, sentence in lines]
    return [one for one in found if any(char.isalnum() for char in one[1])] or found or [(0, "")]


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
