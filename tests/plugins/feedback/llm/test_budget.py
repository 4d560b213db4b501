"""The budget is never exceeded, whatever is in flight."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.llm.budget import Budget, Spent


@settings(deadline=None)
@given(
    calls=st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1)), max_size=30),
    run_usd=st.floats(0, 5),
    spent=st.floats(0, 5),
    workers=st.integers(1, 8),
)
def test_what_is_paid_never_exceeds_what_may_be(calls, run_usd, spent, workers):
    async def work(budget, queue, paid):
        while queue:
            held, share = queue.pop()
            if not await budget.hold(held):
                return
            await asyncio.sleep(0)
            paid.append(held * share)
            await budget.settle(held, held * share)

    async def run():
        budget, paid, queue = Budget(run_usd, 100.0, Spent(run_usd=spent)), [], list(calls)
        await asyncio.wait_for(asyncio.gather(*(work(budget, queue, paid) for _ in range(workers))), 10)
        return paid

    assert sum(asyncio.run(run())) <= max(0.0, run_usd - spent) + 1e-9


def test_waits_for_calls_in_flight_before_it_says_no():
    async def run():
        budget = Budget(1.0, 20.0, Spent())
        assert await budget.hold(0.9)
        waiting = asyncio.create_task(budget.hold(0.5))
        await asyncio.sleep(0)
        assert not waiting.done()
        await budget.settle(0.9, 0.1)
        return await waiting

    assert asyncio.run(run())


def test_the_day_counts_beside_the_run():
    assert not asyncio.run(Budget(5.0, 20.0, Spent(run_usd=0.0, day_usd=19.9)).hold(0.2))


def test_what_is_free_always_fits():
    assert asyncio.run(Budget(0.0, 0.0, Spent(1.0, 1.0)).hold(0.0))
