"""How far asking has come, what it costs and how long it will take, in one line every few seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from feedback.llm.ledger import Ledger
from feedback.llm.pace import Limiter

WINDOW_S = 60.0
"""Speeds are those of the last minute, which is what a limit is counted over."""


@dataclass(frozen=True)
class Mark:
    """How much was done at one moment."""

    at: float
    texts: int
    calls: int
    tokens: int


class Progress:
    """Tells of one run that asks.

    :param tell: takes a line with its values, as a logger's ``info`` does, and beside it ``done`` and ``total`` for
        who would rather draw a bar.
    """

    def __init__(
        self, ledger: Ledger, limiter: Limiter, tell: Callable[..., None], clock: Callable[[], float] = time.monotonic
    ):
        self.ledger, self.limiter, self.tell, self.clock = ledger, limiter, tell, clock
        self._marks = deque([self._mark(0)])

    def __call__(self, done: int, total: int) -> None:
        """Tell that so many texts of all are done."""
        now = self._mark(done)
        while len(self._marks) > 1 and self._marks[1].at <= now.at - WINDOW_S:
            self._marks.popleft()
        since = self._marks[0]
        self._marks.append(now)
        parts = [
            f"{done:,} of {total:,} texts done",
            f"{now.calls:,} calls",
            f"{now.tokens:,} tokens",
            f"US$ {self.ledger.cost_usd:.4f}",
        ]
        if now.at > since.at:
            parts += self._limit_used(since, now) + _left(since, now, total)
        self.tell("%s", ", ".join(parts), done=done, total=total)

    def _mark(self, texts: int) -> Mark:
        usage = self.ledger.usage
        return Mark(self.clock(), texts, self.ledger.calls, usage.input_tokens + usage.output_tokens)

    def _limit_used(self, since: Mark, now: Mark) -> list[str]:
        """Say what share is used of the limit that binds, if any is known."""
        minutes = (now.at - since.at) / 60
        limits = (
            (now.calls - since.calls, self.limiter.requests.per_minute),
            (now.tokens - since.tokens, self.limiter.tokens.per_minute),
        )
        shares = [used / minutes / limit for used, limit in limits if limit]
        return [f"{max(shares):.0%} of the limit"] if shares else []


def _left(since: Mark, now: Mark, total: int) -> list[str]:
    if now.texts == since.texts:
        return []
    seconds = (total - now.texts) * (now.at - since.at) / (now.texts - since.texts)
    return [f"{seconds:.0f} s left" if seconds < 120 else f"{seconds / 60:.0f} min left"]
