"""``make plan``: what the next run would ask, and what that would cost, without asking."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from feedback.llm.plan import Estimate
from include import settings
from include.settings import Settings

HELP = "rows, calls, tokens and US dollars that are owed now; asks nothing"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    settings.refuse_what_is_not_built(configured)
    owed = plan(configured)
    if options.json:
        print(json.dumps(asdict(owed), indent=2))
        return 0
    print(told(owed))
    print(f"limits: US$ {configured.llm_budget_usd:g} a run, US$ {configured.llm_budget_usd_day:g} a UTC day")
    print("what the sources would bring is not in it: make run reads them first, and asks only then")
    return 0


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
