"""How near a text is to the labels of a question, by the letters of its words: similarity, not understanding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from feedback.llm.offline_prompt import Asked
from feedback.llm.offline_text import words

ALIKE = 0.5
"""Similarity from which two words count as forms of one: crash and crashes, not crash and cash."""

CACHED_WORDS = 100_000


class Taxonomy:
    """Labels, each with the words that a prompt explains it by.

    A word of a text speaks for a label as far as its letters are like one of the label's words (cosine of
    character n-grams), and more the fewer labels share that word.
    """

    def __init__(self, explained: Mapping[str, str]):
        import numpy as np
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

        self.labels = list(explained)
        of_label = [set(words(text)) - ENGLISH_STOP_WORDS for text in explained.values()]
        vocabulary = sorted(set().union(*of_label))
        self._ignored = ENGLISH_STOP_WORDS
        self._vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
        self._matrix = self._vectorizer.fit_transform(vocabulary).T
        has = np.array([[word in known for known in of_label] for word in vocabulary], dtype=float)
        self._weights = has / has.sum(axis=1, keepdims=True)
        self._nearness: dict[str, Any] = {}

    @staticmethod
    def of(asked: Asked) -> Taxonomy:
        """Learn the labels of a question, or remember them."""
        return _learnt(tuple(asked.labels.items()))

    def near(self, said: Sequence[str]) -> dict[str, float]:
        """Return how many words of a text speak for each label."""
        self._learn([word for word in said if word not in self._nearness and word not in self._ignored])
        known = [self._nearness[word] for word in said if word in self._nearness]
        found = sum(known).tolist() if known else [0.0] * len(self.labels)
        return dict(zip(self.labels, found, strict=True))

    def _learn(self, unknown: Sequence[str]) -> None:
        if not unknown:
            return
        if len(self._nearness) > CACHED_WORDS:
            self._nearness.clear()
        alike = (self._vectorizer.transform(unknown) @ self._matrix).toarray()
        alike[alike < ALIKE] = 0.0
        for word, row in zip(unknown, alike, strict=True):
            self._nearness[word] = (row[:, None] * self._weights).max(axis=0)


@lru_cache(maxsize=32)
def _learnt(explained: tuple[tuple[str, str], ...]) -> Taxonomy:
    return Taxonomy(dict(explained))
