"""The pace of requests: as many a minute as the service allows, never so many that it refuses."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

BURST_S = 1.0
"""How many seconds' worth may go at once after a rest."""

USED = 0.97
"""What we use of a limit: what is on its way is only estimated."""

LEAST_USED, EASED, RECOVERED = 0.05, 0.9, 0.0001
"""A refusal for haste takes a tenth of our pace, down to a twentieth; each answer gives a little of it back."""

LIMIT = re.compile("[0-9]{1,12}")
TICK_S = 0.001

EASE_S = 1.0
"""Refusals that come so close together are one."""

FIRST_IN_FLIGHT = 4
"""Requests in flight before we know any limit; each answer lets one more go."""

LONGEST_GUESS_S = 60.0
"""A limit that only a header tells never holds a request for longer: it may be one of a day, or a lie."""


@dataclass
class Bucket:
    """What may be taken per minute, refilled evenly; None takes anything.

    A request larger than a burst is let through when the bucket is full, and the next ones wait for it.

    :param is_given: whether the user gave the limit; one that he did not give is learnt from headers.
    """

    per_minute: float | None
    is_given: bool = field(init=False)
    level: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.is_given = self.per_minute is not None
        self.level = self.full

    @property
    def full(self) -> float:
        return (self.per_minute or 0.0) / 60 * BURST_S

    def learn(self, per_minute: float) -> None:
        """Take a limit that a header tells, unless the user gave one; what was taken before counts."""
        if not self.is_given and per_minute != self.per_minute:
            self.level += (per_minute - (self.per_minute or 0.0)) / 60 * BURST_S
            self.per_minute = per_minute

    def refill(self, seconds: float, used: float) -> None:
        self.level = min(self.full, self.level + (self.per_minute or 0.0) / 60 * seconds * used)

    def wait(self, amount: float, used: float) -> float:
        """Return the seconds until so much may be taken."""
        if not self.per_minute:
            return 0.0
        return max(0.0, (min(amount, self.full) - self.level) / (self.per_minute * used) * 60)


class Limiter:
    """One for all requests of a run: a bucket of requests, a bucket of tokens, how many may be in flight, and the
    pauses that a service asks for.

    :param rpm: requests per minute, ``tpm``: tokens per minute; learnt from the service where None.
    """

    def __init__(
        self,
        rpm: int | None,
        tpm: int | None,
        most_in_flight: int = 32,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        self.requests, self.tokens = Bucket(rpm), Bucket(tpm)
        self.most_in_flight = most_in_flight
        self.in_flight = 0
        self.allowed = float(most_in_flight if rpm or tpm else min(FIRST_IN_FLIGHT, most_in_flight))
        self.used = USED
        self._clock, self._sleep = clock, sleep
        self._at = clock()
        self._rest = 0.0
        self._calm = EASE_S
        self._turn, self._landed = asyncio.Lock(), asyncio.Event()

    async def take(self, tokens: int) -> None:
        """Wait for the turn of a request of so many tokens. First come, first served: none starves."""
        async with self._turn:
            while self.in_flight >= int(self.allowed):
                self._landed.clear()
                await self._landed.wait()
            waited = 0.0
            while (wait := self._wait(tokens, waited)) > 0:
                await self._sleep(max(wait, TICK_S))
                waited += wait
            self.requests.level -= 1
            self.tokens.level -= tokens
            self.in_flight += 1

    def land(self) -> None:
        """Note that a request has ended, however it did."""
        self.in_flight -= 1
        self._landed.set()

    def answered(self, unused: int, headers: Mapping[str, str]) -> None:
        """Note an answer: what it used less than it took (negative where it was more), and what its headers tell."""
        self.tokens.level += unused
        self.allowed = min(self.most_in_flight, self.allowed + 1)
        self.used = min(USED, self.used + RECOVERED)
        self.learn(headers)

    def refused(self, seconds: float, headers: Mapping[str, str]) -> None:
        """Send nothing for so long, and less at a time after it; of several refusals at once the first one counts."""
        self.learn(headers)
        self._pass()
        if self._calm >= EASE_S:
            self.used = max(LEAST_USED, self.used * EASED)
            self.allowed = max(1.0, self.allowed / 2)
            self._calm = 0.0
        self._rest = max(self._rest, seconds)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take limits from the headers of an answer, where they are numbers."""
        for name, bucket in (("requests", self.requests), ("tokens", self.tokens)):
            told = LIMIT.fullmatch(headers.get(f"x-ratelimit-limit-{name}", ""))
            if told and int(told[0]) > 0:
                bucket.learn(int(told[0]))

    def _wait(self, tokens: int, waited: float) -> float:
        self._pass()
        guess = max(0.0, LONGEST_GUESS_S - waited)
        waits = [
            wait if bucket.is_given else min(wait, guess)
            for bucket, wait in (
                (self.requests, self.requests.wait(1, self.used)),
                (self.tokens, self.tokens.wait(tokens, self.used)),
            )
        ]
        return max(self._rest, *waits)

    def _pass(self) -> None:
        """Let time pass; a clock that jumps back stands still, one that jumps ahead fills the buckets and no more."""
        now = self._clock()
        passed, self._at = max(0.0, now - self._at), now
        for bucket in (self.requests, self.tokens):
            bucket.refill(passed, self.used)
        self._rest = max(0.0, self._rest - passed)
        self._calm += passed
