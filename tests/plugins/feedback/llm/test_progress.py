"""What a person is told while models are asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from feedback.llm.pace import Limiter
from feedback.llm.prices import Usage
from feedback.llm.progress import Progress


@pytest.fixture
def ledger():
    return SimpleNamespace(calls=0, usage=Usage(), cost_usd=0.0)


@pytest.fixture
def told(ledger):
    """Return a function that lets time pass and returns the line that is told then."""
    now = [0.0]
    lines = []

    def tell(line, *values, done, total):
        lines.append((line % values, done, total))

    def after(seconds, done, calls, tokens, usd, rpm=None, tpm=None):
        nonlocal progress
        progress = progress or Progress(ledger, Limiter(rpm, tpm), tell, clock=lambda: now[0])
        now[0] += seconds
        ledger.calls, ledger.cost_usd = calls, usd
        ledger.usage = Usage(input_tokens=tokens // 2, output_tokens=tokens - tokens // 2)
        progress(done, 1_000)
        return lines[-1]

    progress = None
    return after


def test_tells_rows_calls_tokens_dollars_the_share_of_the_limit_that_binds_and_the_time_left(told):
    line = told(6, done=100, calls=5, tokens=9_000, usd=0.0123, rpm=100, tpm=100_000)

    assert line == (
        "100 of 1,000 texts done, 5 calls, 9,000 tokens, US$ 0.0123, 90% of the limit, 54 s left",
        100,
        1_000,
    )


def test_speed_is_that_of_the_last_minute(told):
    told(1, done=700, calls=70, tokens=0, usd=0, rpm=60)
    told(99, done=700, calls=70, tokens=0, usd=0)
    for _ in range(11):
        line, _, _ = told(6, done=800, calls=100, tokens=0, usd=0)

    assert line.endswith("US$ 0.0000, 0% of the limit")


def test_what_is_not_known_is_not_told(told):
    assert told(5, done=0, calls=1, tokens=0, usd=0)[0] == "0 of 1,000 texts done, 1 calls, 0 tokens, US$ 0.0000"
