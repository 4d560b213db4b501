"""The hard limit on money: held before a call, settled after it, never exceeded by what is in flight."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """What was paid before we start, in US dollars."""

    run_usd: float = 0.0
    day_usd: float = 0.0


class Budget:
    """What may still be spent in this run and on this UTC day, whichever is less."""

    def __init__(self, run_usd: float, day_usd: float, spent: Spent):
        self.left = min(run_usd - spent.run_usd, day_usd - spent.day_usd)
        self.held = 0.0
        self._changed = asyncio.Condition()

    async def hold(self, usd: float) -> bool:
        """Hold the most a call can cost; wait while calls in flight may give some back; say whether it fits."""
        if usd == 0:
            return True
        async with self._changed:
            await self._changed.wait_for(lambda: self.held + usd <= self.left or self.held == 0)
            if self.held + usd > self.left:
                return False
            self.held += usd
            return True

    async def settle(self, held_usd: float, cost_usd: float) -> None:
        """Give back what was held and take what was paid."""
        if held_usd == 0 and cost_usd == 0:
            return
        async with self._changed:
            self.left -= cost_usd
            self.held = max(0.0, self.held - held_usd)
            if self.held < 1e-12:  # sums of floats do not come back to zero by themselves
                self.held = 0.0
            self._changed.notify_all()
