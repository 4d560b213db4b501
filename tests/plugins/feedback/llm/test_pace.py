"""The limiter on a clock of its own: never above the limit, never idle below it, in order."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.llm.pace import BURST_S, EASED, LONGEST_GUESS_S, USED, Limiter


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


def limiter(clock, rpm=None, tpm=None, most_in_flight=10**6):
    return Limiter(rpm, tpm, most_in_flight, clock=clock, sleep=clock.sleep)


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


def test_uses_nearly_the_whole_limit():
    clock = Clock()
    times = taken(limiter(clock, tpm=60_000), clock, [100] * 1_000)

    assert times[-1] == pytest.approx((100_000 / 1_000 - BURST_S) / USED, rel=0.01)


def test_without_a_limit_nothing_waits():
    clock = Clock()

    assert set(taken(limiter(clock, rpm=10**9), clock, [10_000] * 100)) == {0.0}


def test_learns_limits_from_headers_unless_the_user_gave_them():
    clock = Clock()
    paced = limiter(clock, rpm=600)
    paced.learn({"x-ratelimit-limit-requests": "6", "x-ratelimit-limit-tokens": "60000"})

    assert (paced.requests.per_minute, paced.tokens.per_minute) == (600, 60_000)


@pytest.mark.parametrize("value", ["", "-5", "many", "0", "1e9", "²", "1" * 5_000])
def test_headers_that_are_no_number_change_nothing(value):
    paced = limiter(Clock())
    paced.learn({"x-ratelimit-limit-requests": value})

    assert paced.requests.per_minute is None


def test_a_header_that_claims_next_to_nothing_never_stops_us():
    clock = Clock()
    paced = limiter(clock)
    paced.learn({"x-ratelimit-limit-requests": "1", "x-ratelimit-limit-tokens": "1"})

    assert taken(paced, clock, [5_000] * 4)[-1] <= 4 * LONGEST_GUESS_S + 1


def test_before_any_limit_is_known_each_answer_lets_one_more_request_go():
    async def flying():
        paced = Limiter(None, None, 32)
        seen = []
        for _ in range(4):
            while not paced.in_flight >= int(paced.allowed):
                await paced.take(1)
            seen.append(paced.in_flight)
            for _ in range(paced.in_flight):
                paced.land()
                paced.answered(0, {})
        return seen

    assert asyncio.run(flying()) == [4, 8, 16, 32]


def test_a_refusal_makes_room_and_answers_win_it_back():
    paced = Limiter(6_000, None, 32)
    for _ in range(20):  # of requests that were in flight together
        paced.refused(0.0, {})

    assert (paced.used, paced.allowed) == (pytest.approx(USED * EASED), 16)

    for _ in range(1_000):
        paced.answered(0, {})

    assert (paced.used, paced.allowed) == (pytest.approx(USED), 32)


def test_a_pause_holds_everyone():
    clock = Clock()
    paced = limiter(clock)
    paced.refused(7, {})

    assert taken(paced, clock, [1, 1])[0] >= 7


@pytest.mark.parametrize("jump", [-3_600.0, 3_600.0, float(10**9)])
def test_a_clock_that_jumps_neither_stops_us_nor_lets_a_flood_through(jump):
    clock = Clock()
    paced = limiter(clock, tpm=60_000)
    taken(paced, clock, [1_000] * 3)
    clock.now += jump
    start = clock.now

    times = taken(paced, clock, [1_000] * 5)

    assert 3 <= times[-1] - start <= 8


def test_tokens_that_were_not_used_are_given_back():
    clock = Clock()
    paced = limiter(clock, tpm=60_000)
    taken(paced, clock, [1_000])
    paced.answered(1_000, {})

    assert taken(paced, clock, [1_000]) == [0.0]
