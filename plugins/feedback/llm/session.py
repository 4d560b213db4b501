"""One session with one service: everything the engine needs, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback.errors import SettingError
from feedback.llm import prices
from feedback.llm.asking import Asking
from feedback.llm.budget import Budget
from feedback.llm.caller import Caller
from feedback.llm.engine import Engine
from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import Ledger
from feedback.llm.owed import OFFLINE
from feedback.llm.pace import Limiter
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.progress import Progress
from feedback.llm.questions import Registry
from feedback.llm.results import Results
from feedback.llm.service import Endpoint, Service


@dataclass(frozen=True)
class Models:
    """Which models are asked: ``large`` takes the texts that do not fit ``small``."""

    small: Model
    large: Model | None = None

    @property
    def is_offline(self) -> bool:
        return self.small.name == OFFLINE

    @property
    def title(self) -> str:
        """How a person is told who answers."""
        return "the offline model, not a language model" if self.is_offline else f"model {self.small.name}"


def models_of(asking: Asking, endpoint: Endpoint) -> Models:
    """Return the models that the settings and the price table choose.

    A user who names a model of his own is not given a large one that his service may not have.

    :raises PriceUnknown: a model that costs money has no price.
    :raises SettingError: the model is wanted in mode flex and not sold so.
    """
    table = prices.read(asking.prices)
    small = table.model(asking.model or table.default_model, endpoint.is_loopback)
    if asking.mode == "flex" and small.flex is None:
        raise SettingError(
            f"FEEDBACK_LLM_MODE=flex: the price table has no `flex` for model {small.name}:"
            " add it in FEEDBACK_LLM_PRICES, or set the mode to online"
        )
    large = asking.large_model or (None if asking.model else table.large_model)
    return Models(small, table.model(large, endpoint.is_loopback) if large and large != small.name else None)


def ask(
    rows: Sequence[Row],
    enrichments: Sequence[Enrichment],
    asking: Asking,
    endpoint: Endpoint,
    models: Models,
    ledger: Ledger,
    tell: Callable[..., None],
) -> Results:
    """Ask about every row and return what became of each question. What is paid is in the ledger, whatever happens."""

    async def session() -> Results:
        budget = Budget(asking.budget_usd, asking.budget_usd_day, ledger.spent())
        limiter = Limiter(asking.rpm, asking.tpm)
        async with Service(endpoint, ledger.mode) as service:
            engine = Engine(
                Caller(service, limiter, budget, ledger),
                Registry(enrichments),
                model=models.small,
                large_model=models.large,
                most_rows=asking.pack,
                concurrency=asking.concurrency,
                report=Progress(ledger, limiter, tell),
            )
            return await engine.ask(rows)

    try:
        return asyncio.run(session())
    finally:
        ledger.close()
