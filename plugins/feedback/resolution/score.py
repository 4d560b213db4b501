"""How likely two names stand for the same thing: a few similarities, and a small model learnt from past decisions.

Before there is anything to learn from, letters alone rank: the cosine of character n-grams.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.resolution.grams import by_gram, by_word
from feedback.resolution.normalise import latin

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[str, str]


def ordered(one: str, other: str) -> Pair:
    """Return a pair as it is kept, whichever name comes first."""
    return (one, other) if one < other else (other, one)


ENOUGH = 60
"""Decisions to learn from, a tenth of them either way; below, letters rank."""

MANY = 3_000
"""Decisions from which trees learn more than a line does."""

CENTRE, SLOPE = 0.9, 30.0
"""Of the curve that turns likeness into a likelihood: names that are nine tenths alike are the same as often as not."""

TYPO = 0.85
"""Likeness of two words that may be one."""

COVERED, MAY_BE = 0.9, 0.15
"""How likely a name is another one that has all its words and more, or of which it is the initials."""

MOST_PLAIN, PLAIN_WEIGHT = 2_000, 0.2
"""How many pairs that nobody decided are learnt too, and what one is worth."""

SURE = 0.8
"""Likelihood by letters from which such a pair is always learnt."""

HUMAN_WEIGHT = 5.0
"""How many decisions of a model one of a person is worth."""


@dataclass(frozen=True)
class Decided:
    """A pair of names that somebody has decided.

    :param likely: that they are the same, after what was said: a wrong yes about names that are nothing alike
        teaches little.
    """

    pair: Pair
    likely: float
    by_human: bool = False


class Letters:
    """Names as vectors of character n-grams, weighed by how rare they are among the names at hand."""

    def __init__(self, names: Iterable[str]):
        self.names = sorted(set(names))
        self.row = {name: number for number, name in enumerate(self.names)}
        written = [latin(name) for name in self.names]
        words = [name.split() for name in written]
        self.latin = dict(zip(self.names, written, strict=True))
        self.words = dict(zip(self.names, words, strict=True))
        self.tight = {name: "".join(parts) for name, parts in self.words.items()}
        self.by_gram = by_gram(words)
        self.by_word, self.weight = by_word(words)

    def cosine(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Return how many n-grams each pair shares, weighed."""
        import numpy as np

        left, right = self._rows(pairs)
        return np.asarray(self.by_gram[left].multiply(self.by_gram[right]).sum(axis=1)).ravel()

    def _rows(self, pairs: Sequence[Pair]) -> tuple[list[int], list[int]]:
        return [self.row[one] for one, _ in pairs], [self.row[other] for _, other in pairs]

    def features(self, pairs: Sequence[Pair]) -> np.ndarray:
        """Return the similarities of each pair, the cosine first."""
        import numpy as np
        from rapidfuzz import distance, fuzz, process

        one, other, *tight = (
            [written[pair[side]] for pair in pairs] for written in (self.latin, self.tight) for side in (0, 1)
        )
        spread = [
            process.cpdist(one, other, scorer=scorer) / 100
            for scorer in (fuzz.token_sort_ratio, fuzz.token_set_ratio, fuzz.partial_ratio)
        ]
        spread += [process.cpdist(*tight, scorer=fuzz.ratio) / 100]
        spread += [process.cpdist(one, other, scorer=distance.JaroWinkler.similarity)]
        told = _told_apart(one, other)
        return np.column_stack([self.cosine(pairs), *self.likeness(pairs), *spread, *self._by_words(pairs), told])

    def likeness(self, pairs: Sequence[Pair]) -> tuple[np.ndarray, np.ndarray]:
        """Return how alike two names are, and how much of the shorter one the other has.

        Alike are words, each with the one most like it, the more the rarer they are; or all letters in a row.
        """
        import numpy as np
        from rapidfuzz import fuzz, process

        tight = [[self.tight[pair[side]] for pair in pairs] for side in (0, 1)]
        in_a_row = process.cpdist(*tight, scorer=fuzz.ratio) / 100
        words = [[self.words[pair[side]] for pair in pairs] for side in (0, 1)]
        (left, all_left), (right, all_right) = (self._met(*sides) for sides in (words, words[::-1]))
        met = (left + right) / (all_left + all_right)
        return np.maximum(in_a_row, met), np.maximum(left / all_left, right / all_right)

    def _met(self, one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Return of each name of a pair the weight of its words that meet one like them, and of all its words."""
        import numpy as np
        from rapidfuzz import distance, process

        # All words of all pairs beside all of the other name, in one go: a loop over pairs takes ten times as long.
        owner: list[int] = []
        weights: list[float] = []
        starts: list[int] = []
        left: list[str] = []
        right: list[str] = []
        for number, (words, others) in enumerate(zip(one, other, strict=True)):
            for word in words:
                owner.append(number)
                weights.append(self.weight[word])
                starts.append(len(left))
                left += [word] * len(others)
                right += others
        if not left:
            return np.zeros(len(one)), np.ones(len(one))
        like = process.cpdist(left, right, scorer=distance.JaroWinkler.similarity)
        best = np.maximum.reduceat(like, starts)
        met = np.bincount(owner, np.where(best > TYPO, best, 0.0) * weights, len(one))
        return met, np.maximum(np.bincount(owner, weights, len(one)), 1e-6)

    def _by_words(self, pairs: Sequence[Pair]) -> list[np.ndarray]:
        """Return the weight of the shared words: of all words, of the shorter name's, and what neither shares."""
        import numpy as np

        left, right = self._rows(pairs)
        one, other = self.by_word[left], self.by_word[right]
        shared = np.asarray(one.minimum(other).sum(axis=1)).ravel()
        sizes = [np.asarray(side.sum(axis=1)).ravel() for side in (one, other)]
        least, both = np.minimum(*sizes), sizes[0] + sizes[1] - shared
        return [shared / np.maximum(both, 1e-6), shared / np.maximum(least, 1e-6), both - shared]


class Scorer:
    """Says how likely pairs are the same, from whatever was decided so far."""

    def __init__(self, letters: Letters, decided: Sequence[Decided] = ()):
        self.letters, self.decided = letters, list(decided)
        self._model: Any = None

    @property
    def has_learnt(self) -> bool:
        return self._model is not None

    def knows(self, name: str) -> bool:
        """Say whether a name can be scored."""
        return name in self.letters.row

    def learn(self, decided: Sequence[Decided] = (), among: Sequence[Pair] = ()) -> None:
        """Learn from all decisions, if they are enough; those of people count more.

        :param among: pairs that will be scored. Only what was neither alike nor unlike was ever decided, so some of
            these are learnt too, with little weight and as letters judge them, of those that are surely the same all:
            else nothing would say what such names look like.
        """
        import numpy as np

        self.decided += decided
        known = [one for one in self.decided if all(map(self.knows, one.pair))]
        same = sum(one.likely > 0.5 for one in known)
        if len(known) < ENOUGH or min(same, len(known) - same) < ENOUGH / 10:
            return
        by_letters = self._by_letters(among)
        step = max(1, len(among) // MOST_PLAIN)
        taken = [at for at, value in enumerate(by_letters) if at % step == 0 or value > SURE]
        plain = [among[at] for at in taken]
        pairs = [*(one.pair for one in known), *plain]
        likely = np.concatenate([[one.likely for one in known], by_letters[taken]])
        worth = [*(HUMAN_WEIGHT if one.by_human else 1.0 for one in known), *[PLAIN_WEIGHT] * len(plain)]
        self._model = _fitted(self.letters.features(pairs), likely, np.array(worth))

    def __call__(self, pairs: Sequence[Pair]) -> list[float]:
        if not pairs:
            return []
        if self._model is None:
            return list(self._by_letters(pairs))
        return list(self._model.predict_proba(self.letters.features(pairs))[:, 1])

    def _by_letters(self, pairs: Sequence[Pair]) -> np.ndarray:
        import numpy as np

        if not pairs:
            return np.zeros(0)
        alike, covered = self.letters.likeness(pairs)
        may_be = (covered > COVERED) | [_are_initials(*(self.letters.latin[name] for name in pair)) for pair in pairs]
        return np.maximum(1 / (1 + np.exp(-SLOPE * (alike - CENTRE))), np.where(may_be, MAY_BE, 0.0))


def _fitted(features: np.ndarray, likely: np.ndarray, worth: np.ndarray) -> Any:
    """Return a fitted model whose likelihoods are calibrated: a line is, trees are made so."""
    import numpy as np

    # A decision that is not certain is a little of both.
    rows = np.vstack([features, features])
    same: np.ndarray = np.repeat([True, False], len(likely))
    weights = np.concatenate([worth * likely, worth * (1 - likely)])
    rows, same, weights = rows[weights > 0], same[weights > 0], weights[weights > 0]
    if (worth >= 1.0).sum() < MANY:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
        return line.fit(rows, same, logisticregression__sample_weight=weights)
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06, min_samples_leaf=15, random_state=0)
    return CalibratedClassifierCV(trees, method="isotonic", cv=4).fit(rows, same, sample_weight=weights)


def _told_apart(one: Sequence[str], other: Sequence[str]) -> np.ndarray:
    """Return what letters do not see: other numbers in two names, and one being the initials of the other."""
    import numpy as np

    rows = []
    for left, right in zip(one, other, strict=True):
        numbers = [{word for word in name.split() if any(map(str.isdigit, word))} for name in (left, right)]
        rows.append((len(numbers[0] ^ numbers[1]), len(numbers[0] & numbers[1]), _are_initials(left, right)))
    return np.array(rows)


def _are_initials(one: str, other: str) -> bool:
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    words = long.split()
    tight = short.replace(" ", "")
    return len(tight) == len(words) > 1 and tight == "".join(word[0] for word in words)
