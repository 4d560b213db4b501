"""The limiter on a clock of its own: never above the limit, never idle below it, in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.llm.pace import BURST_S, Limiter


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds + 1e-9


def taken(limiter, clock, requests):
    """Take the requests one after another; return when each was let through."""

    async def run():
        times = []
        for tokens in requests:
            await limiter.take(tokens)
            times.append(clock.now)
        return times

    return asyncio.run(run())


def limiter(clock, rpm=None, tpm=None):
    return Limiter(rpm, tpm, clock=clock, sleep=clock.sleep)


@settings(deadline=None)
@given(
    requests=st.lists(st.integers(1, 3_000), min_size=1, max_size=60),
    rpm=st.integers(60, 6_000),
    tpm=st.integers(60_000, 10**6),
)
def test_in_no_stretch_of_time_is_more_let_through_than_the_limits_allow(requests, rpm, tpm):
    clock = Clock()
    times = taken(limiter(clock, rpm, tpm), clock, requests)

    for first in range(len(times)):
        for last in range(first, len(times)):
            stretch = times[last] - times[first] + BURST_S
            assert last - first <= rpm / 60 * stretch + 1
            assert sum(requests[first:last]) <= tpm / 60 * stretch + max(requests)


def test_uses_the_whole_limit():
    clock = Clock()
    times = taken(limiter(clock, tpm=60_000), clock, [100] * 1_000)

    assert times[-1] == pytest.approx(100_000 / 1_000 - 1, rel=0.02)


def test_without_a_limit_nothing_waits():
    clock = Clock()

    assert set(taken(limiter(clock), clock, [10_000] * 100)) == {0.0}


def test_learns_limits_from_headers_unless_the_user_gave_them():
    clock = Clock()
    paced = limiter(clock, rpm=600)
    paced.learn({"x-ratelimit-limit-requests": "6", "x-ratelimit-limit-tokens": "60000"})

    assert (paced.requests.per_minute, paced.tokens.per_minute) == (600, 60_000)


@pytest.mark.parametrize("value", ["", "-5", "many", "0", "1e9", "²"])
def test_headers_that_lie_change_nothing(value):
    paced = limiter(Clock())
    paced.learn({"x-ratelimit-limit-requests": value})

    assert paced.requests.per_minute is None


def test_a_pause_holds_everyone():
    clock = Clock()
    paced = limiter(clock)
    paced.pause(7)

    assert taken(paced, clock, [1, 1])[0] >= 7


def test_tokens_that_were_not_used_are_given_back():
    clock = Clock()
    paced = limiter(clock, tpm=60_000)
    taken(paced, clock, [1_000])
    paced.give_back(1_000)

    assert taken(paced, clock, [1_000]) == [0.0]
