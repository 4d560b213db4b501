"""How long answers usually are, measured while they come: what to reserve for one, and where to cut one off.

Some services count the limit on an answer's length against the tokens of a minute, so it has to be close.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedback.llm.pack import Pack

ENOUGH = 5
"""So many answers tell how long they are; before, the page's word counts, and an answer may be much longer."""

AVERAGE_FACTOR, MOST_FACTOR, SLACK = 1.5, 1.1, 64
"""An answer may be this much longer than the average one, or than the longest one seen, whichever is more."""


@dataclass
class Seen:
    """Of the answers to the same questions by the same model: how many, about how many rows, how long."""

    answers: int = 0
    rows: int = 0
    tokens: int = 0
    most: float = 0.0
    """The longest one's tokens per row."""


class Usual:
    """What is usual, for each set of questions and each model."""

    def __init__(self) -> None:
        self._seen: dict[tuple[tuple[str, ...], str], Seen] = {}

    def output(self, pack: Pack) -> int:
        """Return about how many tokens the answer to a pack will be."""
        seen = self._of(pack)
        return pack.answer_tokens if seen.answers < ENOUGH else seen.tokens * len(pack.rows) // seen.rows

    def limit(self, pack: Pack) -> int:
        """Return the most tokens we ask the service to let the answer have; a row asked alone may need more."""
        seen = self._of(pack)
        if seen.answers < ENOUGH or len(pack.rows) == 1:
            return pack.output_limit
        per_row = max(AVERAGE_FACTOR * seen.tokens / seen.rows, MOST_FACTOR * seen.most)
        return min(pack.model.max_output, round(per_row * len(pack.rows)) + SLACK)

    def note(self, pack: Pack, output_tokens: int, is_cut: bool) -> None:
        """Note how long an answer was; one that was cut off would have been twice as long, for all we know."""
        seen = self._of(pack)
        tokens = output_tokens * 2 if is_cut else output_tokens
        seen.answers += 1
        seen.rows += len(pack.rows)
        seen.tokens += tokens
        seen.most = max(seen.most, tokens / len(pack.rows))

    def _of(self, pack: Pack) -> Seen:
        return self._seen.setdefault((pack.questions.names, pack.model.name), Seen())
