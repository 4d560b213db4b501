"""How well published answers agree with golden ones, and how sure one may be of that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Z = 1.96
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True)
class Agreement:
    """Of one enrichment: over ``n`` golden items that are answered, how many agree."""

    enrichment: str
    n: int
    agreed: int

    @property
    def share(self) -> float:
        return self.agreed / self.n if self.n else 0.0

    @property
    def lower_bound(self) -> float:
        """The share that is exceeded with 97.5 % confidence (Wilson)."""
        if not self.n:
            return 0.0
        share, n, z = self.share, self.n, Z
        centre = share + z * z / (2 * n)
        spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return (centre - spread) / (1 + z * z / n)


def agreements(
    golden: Iterable[Mapping[str, Any]], answers: Mapping[tuple[str, str], Iterable[str]]
) -> dict[str, Agreement]:
    """Return the agreement of each enrichment.

    :param golden: rows with ``item_id``, ``enrichment`` and ``answer``: a label, or a list of labels.
    :param answers: (item id, enrichment) to the published labels of each answered question, none of them
        for an empty answer. Labels agree if they are the same set; letter case does not count.
    """
    counts: dict[str, list[int]] = {}
    for row in golden:
        question = (row["item_id"], row["enrichment"])
        if question in answers:
            count = counts.setdefault(row["enrichment"], [0, 0])
            count[0] += 1
            count[1] += _labels(row["answer"]) == {label.casefold() for label in answers[question]}
    return {name: Agreement(name, n, agreed) for name, (n, agreed) in sorted(counts.items())}


def _labels(answer: Any) -> set[str]:
    labels = [answer] if isinstance(answer, str) else answer
    return {label.casefold() for label in labels}
