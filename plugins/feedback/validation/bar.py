"""How right answers have to be about golden items before they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from feedback.validation.scores import Share

ENOUGH = 50
"""So many golden items have to be answered before they decide anything."""


@dataclass(frozen=True)
class Bar:
    """What an answer's page of ``include/approved.py`` says: who is held to golden items, and to what.

    :param models: those that golden items may block; others are measured.
    :param least: by model, the least that the lower bound of its share of right answers may be. Where a model is
        not named, it may not be worse than what is published.
    :param unheard: authors of golden answers that decide nothing.
    """

    models: frozenset[str] = frozenset()
    least: Mapping[str, float] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()

    def height(self, model: str, items: int, before: Share | None) -> float | None:
        """Return the least that the lower bound of a model's share of so many items may be; None where all may pass.

        As far below the lower bound of what is published as that lies below its share: so a share that is no worse
        than what may be true of the published one passes, and chance alone seldom blocks.

        :param before: the share of what is published, of the same items.
        """
        if items < ENOUGH:
            return None
        if model in self.least:
            return self.least[model]
        return 2 * before.low - before.value if before and model in self.models else None
