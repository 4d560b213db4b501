"""The pace of requests: as many a minute as the service allows, never so many that it refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

BURST_S = 1.0
"""How many seconds' worth may go at once after a rest."""


@dataclass
class Bucket:
    """What may be taken per minute, refilled evenly; None takes anything.

    A request larger than a burst is let through when the bucket is full, and the next ones wait for it.
    """

    per_minute: float | None
    level: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.level = self.full

    @property
    def full(self) -> float:
        return (self.per_minute or 0.0) / 60 * BURST_S

    def limit(self, per_minute: float) -> None:
        """Learn the limit; what was taken before counts."""
        self.level += (per_minute - (self.per_minute or 0.0)) / 60 * BURST_S if self.per_minute != per_minute else 0.0
        self.per_minute = per_minute

    def refill(self, seconds: float) -> None:
        self.level = min(self.full, self.level + (self.per_minute or 0.0) / 60 * seconds)

    def wait(self, amount: float) -> float:
        """Return the seconds until so much may be taken."""
        if not self.per_minute:
            return 0.0
        return max(0.0, (min(amount, self.full) - self.level) / self.per_minute * 60)


class Limiter:
    """One for all requests of a run: a bucket of requests, a bucket of tokens, and pauses a service asks for.

    A limit that the user gave is kept; one that he did not give is learnt from the service's headers.
    """

    def __init__(
        self,
        rpm: int | None,
        tpm: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        self.requests = Bucket(rpm)
        self.tokens = Bucket(tpm)
        self._learns = {"x-ratelimit-limit-requests": rpm is None, "x-ratelimit-limit-tokens": tpm is None}
        self._clock, self._sleep = clock, sleep
        self._at = self._paused_until = clock()
        self._turn = asyncio.Lock()

    async def take(self, tokens: int) -> None:
        """Wait for the turn of a request of so many tokens. First come, first served: none starves."""
        async with self._turn:
            while (wait := self._wait(tokens)) > 0:
                await self._sleep(wait)
            self.requests.level -= 1
            self.tokens.level -= tokens

    def give_back(self, tokens: int) -> None:
        """Correct what a request took, once its usage is known; negative where it took too little."""
        self.tokens.level += tokens

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take limits from the headers of an answer, where they are numbers and nobody set them."""
        for header, bucket in (
            ("x-ratelimit-limit-requests", self.requests),
            ("x-ratelimit-limit-tokens", self.tokens),
        ):
            value = headers.get(header, "")
            if self._learns[header] and value.isdecimal() and int(value) > 0:
                bucket.limit(int(value))

    def _wait(self, tokens: int) -> float:
        now = self._clock()
        for bucket in (self.requests, self.tokens):
            bucket.refill(now - self._at)
        self._at = now
        return max(self._paused_until - now, self.requests.wait(1), self.tokens.wait(tokens))
