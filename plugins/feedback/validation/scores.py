"""How right answers are, with how sure one may be of it: what a prompt or model is judged by before it goes live."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Z = 1.96
"""Of a two-sided interval of 95 %."""

SAMPLES = 400
Labels = frozenset[str]


@dataclass(frozen=True)
class Share:
    """A share with the bounds of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """Of one enrichment over the golden items that it answered.

    :param right: items with exactly the right labels.
    :param precision: of the labels that were given, how many are right; ``recall``: of the right ones, how many
        were given; ``f1`` their harmonic mean.
    :param better: items that are right now and were published wrong; ``worse`` the other way round; ``flips`` all
        that are answered otherwise than published.
    """

    items: int
    right: int
    share: Share
    precision: Share
    recall: Share
    f1: Share
    flips: int
    better: int
    worse: int


def scores(golden: Mapping[str, Labels], said: Mapping[str, Labels], published: Mapping[str, Labels]) -> Scores | None:
    """Return the scores of what was said; None where no golden item was answered. Keys are items."""
    items = sorted(golden.keys() & said.keys())
    if not items:
        return None
    pairs = [(golden[item], said[item]) for item in items]
    right = sum(wanted == given for wanted, given in pairs)
    flipped = [item for item in items if item in published and published[item] != said[item]]
    hits, given, wanted = _counts(pairs)
    return Scores(
        items=len(items),
        right=right,
        share=wilson(right, len(items)),
        precision=wilson(hits, given),
        recall=wilson(hits, wanted),
        f1=_f1(pairs),
        flips=len(flipped),
        better=sum(said[item] == golden[item] for item in flipped),
        worse=sum(published[item] == golden[item] for item in flipped),
    )


def wilson(hits: int, n: int, z: float = Z) -> Share:
    """Return a share with its Wilson interval, which stays honest where there are few."""
    if not n:
        return Share(0.0, 0.0, 1.0)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Share(share, max(0.0, centre - spread), min(1.0, centre + spread))


def _counts(pairs: Sequence[tuple[Labels, Labels]]) -> tuple[int, int, int]:
    """Return labels that are right, given and wanted."""
    hits = sum(len(wanted & given) for wanted, given in pairs)
    return hits, sum(len(given) for _, given in pairs), sum(len(wanted) for wanted, _ in pairs)


def _f1(pairs: Sequence[tuple[Labels, Labels]]) -> Share:
    """F1 has no interval of its own: that of items drawn again and again, always the same draws."""
    draw = random.Random(0)  # noqa: S311 - statistics, no secret
    drawn = sorted(_harmonic(_counts(draw.choices(pairs, k=len(pairs)))) for _ in range(SAMPLES))
    return Share(_harmonic(_counts(pairs)), drawn[round(0.025 * SAMPLES)], drawn[round(0.975 * SAMPLES) - 1])


def _harmonic(counts: tuple[int, int, int]) -> float:
    hits, given, wanted = counts
    return 2 * hits / (given + wanted) if given + wanted else 1.0
