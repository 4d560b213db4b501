"""``make plan``: what the next run would read and ask, and what that would cost, without doing it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from feedback.errors import FeedbackError
from feedback.llm.plan import Estimate
from feedback.sources.base import Expected
from include import settings
from include.settings import Settings

HELP = "calls and minutes of each source; rows, calls, tokens and US dollars that are owed now; reads and asks nothing"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    settings.refuse_what_is_not_built(configured)
    owed, read = plan(configured), reading(configured)
    if options.json:
        by_source = {name: one if isinstance(one, str) else asdict(one) for name, one in read.items()}
        print(json.dumps({**asdict(owed), "sources": by_source}, indent=2))
        return 0
    for name, one in read.items():
        print(f"read {name}: {one if isinstance(one, str) else told_of_reading(one)}")
    print(f"ask: {told(owed)}")
    print(f"limits: US$ {configured.llm_budget_usd:g} a run, US$ {configured.llm_budget_usd_day:g} a UTC day")
    print("what the sources would bring is not in what is asked: make run reads them first, and asks only then")
    return 0


def reading(settings: Settings) -> dict[str, Expected | str]:
    """Return what the next run of each source would cost, or why that cannot be told."""
    from feedback.sources.past import recall
    from include.sources import sources
    from include.warehouse import warehouse as open_warehouse

    warehouse = open_warehouse(settings)
    found: dict[str, Expected | str] = {}
    for source in sources(settings):
        try:
            found[source.name] = source.expected(recall(warehouse, source.name))
        except FeedbackError as error:
            found[source.name] = str(error)
    return found


def told_of_reading(expected: Expected) -> str:
    """Return what reading a source costs, as a person reads it."""
    if not expected.calls:
        return expected.note or "files, no calls"
    rows = "" if expected.rows is None else f", about {expected.rows:,} rows"
    runs = "" if expected.runs == 1 else f", everything after {expected.runs} runs"
    note = f"; {expected.note}" if expected.note else ""
    return f"{expected.calls:,} calls, {expected.minutes:.0f} minutes{rows}{runs}{note}"


def plan(settings: Settings) -> Estimate:
    """Return what is owed in the warehouse now, at the usual length of an answer.

    :raises PriceUnknown: the model would cost money and has no price.
    """
    from feedback.hooks.model_endpoint import model_endpoint
    from feedback.llm.offline_model import MODEL
    from feedback.llm.owed import owed
    from feedback.llm.plan import estimate, rows_of
    from feedback.llm.session import models_of
    from include.enrichments import ENRICHMENTS
    from include.llm import asking
    from include.warehouse import warehouse as open_warehouse

    warehouse = open_warehouse(settings)
    warehouse.migrate()
    how = asking(settings)
    endpoint = model_endpoint("openai_default", warehouse.engine, how)
    model = models_of(how, endpoint).small if endpoint else MODEL
    rows = rows_of(owed(warehouse, ENRICHMENTS, is_offline=endpoint is None, as_of=how.as_of))
    return estimate(rows, ENRICHMENTS, model, how.pack)


def told(owed: Estimate) -> str:
    """Return an estimate as a person reads it."""
    return (
        f"{owed.rows:,} texts, {owed.questions:,} questions, {owed.calls:,} calls, {owed.input_tokens:,} tokens in, "
        f"{owed.output_tokens:,} out: about US$ {owed.usd:.2f}"
    )
