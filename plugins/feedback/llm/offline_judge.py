"""What the offline model answers: a lexicon, similarity of letters, and names it knows. Not a language model.

Feelings come from a published lexicon (vaderSentiment), which is English only: other languages look neutral
unless a rating says more. Labels come from the nearest description or example in the prompt, names from the
catalog and from how English writes names. Every quote is a sentence of the text.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from feedback.llm.offline_prompt import Asked
from feedback.llm.offline_taxonomy import Taxonomy
from feedback.llm.offline_text import Said, names, numbered, words
from feedback.llm.wire import ROW

HINTS: Mapping[str, Callable[[Said], float]] = {
    "bug_report": lambda said: max(0.0, -said.feeling),
    "complaint": lambda said: max(0.0, -said.feeling),
    "feature_request": lambda said: min(0.0, said.feeling),
    "praise": lambda said: 1.5 * max(0.0, said.feeling - 0.2),
    "question": lambda said: 1.5 * any(sentence.endswith("?") for sentence in said.sentences[:3]),
}
"""How many words the form of a text is worth; labels not named here have no hint."""

FLOOR = 0.6
"""Words that must speak for a label; below, a text is about nothing in particular."""

SECOND = 0.7
"""How near to the first label a second one must come."""

OFFERED = re.compile(r"([a-z]) = (.+?)(?: \(also .*)?$")
"""A name under its mark, in a question about names."""

ALIKE = 0.9
"""Letters in common of two ways to write one name."""

MOST_LABELS, MOST_NAMES = 2, 8
"""Most rows of a list answer."""


Row = tuple[int, int | None, str]
"""Number, rating and numbered sentences of a row, as it was sent."""


class Judge:
    """Answers requests.

    :param catalog: kind and name of everything that is known by name.
    """

    def __init__(self, catalog: Sequence[tuple[str, str]] = ()):
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._lexicon = SentimentIntensityAnalyzer()
        self._kinds = {name.casefold(): kind for kind, name in reversed(catalog)}
        known = "|".join(re.escape(name) for name in sorted(self._kinds, key=len, reverse=True))
        self._known = re.compile(rf"(?<!\w)(?:{known})(?!\w)", re.IGNORECASE) if known else re.compile(r"(?!)")

    def answers(self, rows: Sequence[Row], asked: Sequence[Asked]) -> list[dict[str, Any]]:
        """Answer every question about every row, in the form in which answers travel."""
        said = [self._read(text, rating) for _, rating, text in rows]
        answers: list[dict[str, Any]] = [{ROW: number} for number, *_ in rows]
        for question in asked:
            for answer, one in zip(answers, said, strict=True):
                found = [question.sent(row) for row in self._found(question, one)]
                answer[question.key] = found if question.is_list else found[0]
        return answers

    def _found(self, question: Asked, said: Said) -> list[dict[str, Any]]:
        if "score" in question.numbers:
            return [_feeling(said)]
        if "surface" in question.keys:
            return self._mentions(said)
        if "none" in question.labels:
            return [_matched(said)]
        return _labels(said, question)

    def _read(self, text: str, rating: int | None) -> Said:
        numbers, parts = zip(*numbered(text), strict=True)
        feelings = [self._feeling(part) for part in parts]
        # The lexicon's own scale: a sum of feelings, folded into -1 to 1. A star counts like a strong word.
        total = sum(feeling * (15 / (1 - feeling * feeling + 1e-9)) ** 0.5 for feeling in feelings)
        total += 0.0 if rating is None else (rating - 3) * 2.0
        return Said(words(" ".join(parts)), numbers, parts, feelings, total / (total * total + 15) ** 0.5)

    def _feeling(self, sentence: str) -> float:
        plain = (word.strip(string.punctuation) for word in sentence.lower().split())
        if sentence.isascii() and self._lexicon.lexicon.keys().isdisjoint(plain):
            return 0.0  # most sentences; the lexicon itself takes ten times as long to say so
        return float(self._lexicon.polarity_scores(sentence)["compound"])

    def _mentions(self, said: Said) -> list[dict[str, Any]]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for number, sentence in zip(said.numbers, said.sentences, strict=True):
            folded = sentence.casefold()
            known = self._known.findall(sentence) if any(name in folded for name in self._kinds) else []
            named = [(self._kinds.get(name.casefold(), "product"), name) for name in known]
            named += [("product", name) for name in names(sentence) if not self._known.search(name)]
            for kind, surface in named:
                found.setdefault((kind, surface.casefold()), {"kind": kind, "surface": surface, "quote": number})
        return list(found.values())[:MOST_NAMES]


def _matched(said: Said) -> dict[str, Any]:
    """Answer with the name offered that is written nearly alike; what names mean, letters do not know."""
    from rapidfuzz import fuzz

    name = said.sentences[0].partition(": ")[2].partition(" - in: ")[0]
    offered = [found.groups() for sentence in said.sentences if (found := OFFERED.match(sentence))]
    likeness = [(fuzz.ratio(_tight(name), _tight(other)) / 100, mark) for mark, other in offered]
    best, mark = max(likeness, default=(0.0, "none"))
    return {"label": mark if best >= ALIKE else "none", "confidence": best if best >= ALIKE else 1 - best}


def _tight(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _feeling(said: Said) -> dict[str, Any]:
    score = said.feeling
    if max(said.feelings) >= 0.5 and min(said.feelings) <= -0.4 and abs(score) < 0.7:
        label, quote = "mixed", said.quote([abs(feeling) for feeling in said.feelings])
    elif abs(score) < 0.2:
        label, quote = "neutral", None
    elif score > 0:
        label, quote = "positive", said.quote(said.feelings)
    else:
        label, quote = "negative", said.quote([-feeling for feeling in said.feelings])
    return {"label": label, "score": score, "quote": quote, "confidence": 0.4 + abs(score) / 2}


def _labels(said: Said, question: Asked) -> list[dict[str, Any]]:
    """Answer with the nearest label, or with every label that is near where the answer is a list."""
    taxonomy = Taxonomy.of(question)
    ranked = sorted(_values(said, taxonomy).items(), key=lambda entry: -entry[1])
    found = [(label, value) for label, value in ranked if value >= FLOOR and value > ranked[0][1] * SECOND]
    if not question.is_list and not found:
        return [{"label": "other", "quote": None, "confidence": 0.3}]
    return [
        {"label": label, "quote": _shown(said, taxonomy, label), "confidence": value / (value + 1)}
        for label, value in found[: MOST_LABELS if question.is_list else 1]
    ]


def _values(said: Said, taxonomy: Taxonomy) -> dict[str, float]:
    """Return how much speaks for each label, its words and the form of the text."""
    near = taxonomy.near(said.words)
    return {label: value + (HINTS[label](said) if label in HINTS else 0.0) for label, value in near.items()}


def _shown(said: Said, taxonomy: Taxonomy, label: str) -> int:
    """Return the number of the sentence that speaks most for a label."""
    return said.quote([_values(part, taxonomy)[label] for part in said.parts()])
