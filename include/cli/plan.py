"""``make plan``: what the next run would read and ask, and what that would cost, without doing it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from feedback.errors import FeedbackError
from feedback.llm.plan import Estimate
from feedback.sources.base import Expected
from include import settings
from include.cli.aligned import aligned
from include.settings import Settings

if TYPE_CHECKING:
    from feedback.llm.asking import Asking
    from feedback.llm.prices import Model
    from feedback.warehouse.base import Warehouse

HELP = "what the next run would cost: calls and minutes of each source, and US dollars of what is owed; asks nothing"
STATUSES = "exit status: 0 everything is told, 1 something cannot be told: its line says why"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = STATUSES
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(options: argparse.Namespace) -> int:
    configured = settings.load()
    owed, names, read = plan(configured), about_names(configured), reading(configured)
    if options.json:
        by_source = {name: one if isinstance(one, str) else asdict(one) for name, one in read.items()}
        print(json.dumps({**asdict(owed), "names": asdict(names), "sources": by_source}, indent=2))
    else:
        print("\n".join(page(owed, names, read, configured)))
    return 1 if any(isinstance(one, str) for one in read.values()) else 0


def page(owed: Estimate, names: Estimate, read: Mapping[str, Expected | str], settings: Settings) -> Iterator[str]:
    """Yield the lines that a person reads: what is read first, what is asked then, and the sum."""
    yield from aligned([["to read", "calls", "minutes", "rows", ""], *(_row(name, one) for name, one in read.items())])
    yield ""
    header = ["to ask", "texts", "questions", "calls", "tokens in", "tokens out", "US$"]
    yield from aligned([header, _asked("now", owed), _asked("about names", names)])
    yield ""
    told = [one for one in read.values() if isinstance(one, Expected)]
    calls, minutes = sum(one.calls for one in told), sum(one.minutes for one in told)
    reads = f"{calls:,} calls to sources in about {minutes:,.0f} minutes" if calls else "no calls to sources"
    yield f"the next run: {reads}, then about US$ {owed.usd + names.usd:.2f}, and more for what the sources bring"
    yield f"limits: US$ {settings.llm_budget_usd:g} a run, US$ {settings.llm_budget_usd_day:g} a UTC day"


def _asked(what: str, one: Estimate) -> list[str | int | None]:
    return [what, one.rows, one.questions, one.calls, one.input_tokens, one.output_tokens, f"{one.usd:.2f}"]


def _row(name: str, one: Expected | str) -> list[str | int | None]:
    """A source's line; nothing is called for files and tables."""
    if isinstance(one, str):
        return [name, None, None, None, one]
    runs = "" if one.runs == 1 else f"everything after {one.runs} runs"
    note = "; ".join(part for part in (runs, one.note) if part)
    return [name, one.calls or None, round(one.minutes) if one.calls else None, one.rows, note]


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


def plan(settings: Settings) -> Estimate:
    """Return what is owed in the warehouse now, at the usual length of an answer.

    :raises PriceUnknown: the model would cost money and has no price.
    """
    from feedback.llm.plan import planned
    from include.enrichments import ENRICHMENTS

    warehouse, model, how = _asking(settings)
    return planned(warehouse, ENRICHMENTS, model, how)


def about_names(settings: Settings) -> Estimate:
    """Return what the questions about names would cost, new and judged again; what is mentioned next brings more.

    :raises PriceUnknown: the model would cost money and has no price.
    """
    from feedback.llm.checks import PackChecks
    from feedback.llm.offline_model import MODEL
    from feedback.llm.plan import of_rows
    from feedback.llm.questions import Registry
    from feedback.model import Run
    from feedback.resolution.naming import naming
    from feedback.resolution.waiting import open_questions
    from include.entities import CATALOG, ENTITY_KINDS, MATCH, OVERRIDES

    warehouse, model, how = _asking(settings)
    rows = open_questions(naming(warehouse, ENTITY_KINDS, CATALOG, OVERRIDES), MATCH, is_real=model.name != MODEL.name)
    return of_rows(PackChecks(warehouse, Registry([MATCH]), model, Run("", "", ""), how.pack), rows, how.mode)


def _asking(settings: Settings) -> tuple[Warehouse, Model, Asking]:
    """Return the warehouse as it is to be, the model that most is asked, and how."""
    from feedback.hooks.model_endpoint import model_endpoint
    from feedback.llm.offline_model import MODEL
    from feedback.llm.session import models_of
    from include.llm import asking
    from include.warehouse import warehouse as open_warehouse

    warehouse = open_warehouse(settings)
    warehouse.migrate()
    how = asking(settings)
    endpoint = model_endpoint("openai_default", warehouse.engine, how)
    return warehouse, models_of(how, endpoint).small if endpoint else MODEL, how


def told(owed: Estimate) -> str:
    """Return an estimate as a person reads it."""
    return (
        f"{owed.rows:,} texts, {owed.questions:,} questions, {owed.calls:,} calls, {owed.input_tokens:,} tokens in, "
        f"{owed.output_tokens:,} out: about US$ {owed.usd:.2f}"
    )
