"""What tests of the engine stand on: a service on loopback, two small questions, and everything that asks them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from feedback.llm.budget import Budget, Spent
from feedback.llm.caller import Caller
from feedback.llm.cascade import Models, Paid, Rules
from feedback.llm.engine import Engine
from feedback.llm.enrichment import Enrichment
from feedback.llm.join import first_other_than, vote
from feedback.llm.ledger import Ledger
from feedback.llm.pace import Limiter
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.results import Results
from feedback.llm.service import Endpoint, Service
from tests.plugins.feedback.llm import items


class Sentiment(BaseModel):
    label: Literal["positive", "neutral", "negative", "mixed"]
    score: Annotated[float, Field(ge=-1, le=1)]
    quote: str | None
    confidence: Annotated[float, Field(ge=0, le=1)]


class Intent(BaseModel):
    label: Literal["complaint", "other"]
    quote: str | None
    confidence: Annotated[float, Field(ge=0, le=1)]


SENTIMENT = Enrichment(
    name="sentiment",
    answer_type=Sentiment,
    prompt="How?\n- `positive`: good\n- `neutral`: nothing\n- `negative`: bad\n- `mixed`: both\n",
    rules=(),
    join=vote(otherwise="mixed"),
    unquoted=frozenset({"neutral"}),
)
INTENT = Enrichment(
    name="intent",
    answer_type=Intent,
    prompt="What?\n- `complaint`: unhappy\n- `other`: else\n",
    rules=(),
    join=first_other_than("other"),
    unquoted=frozenset({"other"}),
)
BOTH = ("sentiment", "intent")


@pytest.fixture
def sentiment():
    return SENTIMENT


@pytest.fixture
def row():
    """Return a row that owes both questions."""
    return lambda text, rating=None, owed=BOTH: Row(text, rating, owed)


@pytest.fixture
def ledger(warehouse, run):
    return Ledger(warehouse, run, "online")


@dataclass
class Asked:
    """What an engine was asked, and what became of it."""

    engine: Engine
    results: Results


@pytest.fixture
def engine(stand_in, ledger):
    """Return a function that asks rows of the stand-in and returns what became of them."""

    def ask(
        rows,
        *,
        model=None,
        budget_usd=1.0,
        most_rows=20,
        large_model=None,
        concurrency=4,
        ledger=ledger,
        url=None,
        enrichments=(SENTIMENT, INTENT),
    ):
        async def session():
            endpoint = Endpoint("openai_default", url or stand_in.base_url, "key")
            registry = Registry(enrichments)
            models = Models(model or Model("small", max_output=100_000, window=1_000_000), large_model)
            async with Service(endpoint, "online") as service:
                budget = Budget(budget_usd, budget_usd, Spent())
                caller = Caller(service, Limiter(None, None, concurrency), budget, ledger, first_wait_s=0.01)
                engine = Engine(
                    caller,
                    registry,
                    models,
                    deciders=(Rules(registry.by_name), Paid(ledger, registry.by_name, models)),
                    most_rows=most_rows,
                    concurrency=concurrency,
                )
                async with engine.at_work():
                    return Asked(engine, (await engine.ask(rows)).results)

        try:
            return asyncio.run(session())
        finally:
            ledger.close()

    return ask


@pytest.fixture
def publish(warehouse):
    """Publish items with these texts; return a row of each, as it owes both questions."""

    def write(texts):
        items.publish(warehouse, texts)
        return [Row(text, None, BOTH) for text in texts]

    return write
