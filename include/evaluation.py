"""The golden set asked with the current prompts and model: how right it is, what flips, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from feedback.llm.enrichment import Enrichment
from feedback.model import Run, utc_now
from feedback.validation.golden import Standing, given_answers, right_answers, standing
from feedback.validation.scores import Labels, Scores, scores
from feedback.warehouse.base import Warehouse
from include.approved import PROMPTS
from include.enrichments import ENRICHMENTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations import ANSWER_SUBJECTS
from include.llm import asking
from include.settings import Settings
from include.warehouse import warehouse as open_warehouse

GOLDEN = """
    select 1 as found from ops.golden as golden
    join feedback.items as items on items.item_id = golden.item_id where items.is_askable limit 1
"""
SECONDS = """
    select avg(datediff('millisecond', started_at, finished_at)) / 1000.0 as seconds from ops.llm_calls
    where run_id = ? and status = 'settled'
"""


@dataclass(frozen=True)
class Judged:
    """One enrichment's scores, and whether the gate would publish it.

    :param standing: what the gate holds it to; None where no golden answer that counts was given.
    """

    enrichment: str
    prompt_version: str
    is_approved: bool
    scores: Scores
    standing: Standing | None

    @property
    def holds(self) -> bool:
        return self.standing is None or self.standing.holds


@dataclass(frozen=True)
class Evaluation:
    """All of it; ``seconds`` is the mean of a call, None where the ledger knew every answer."""

    model: str
    judged: tuple[Judged, ...]
    calls: int
    cost_usd: float
    seconds: float | None
    stopped: str


def evaluate(settings: Settings, tell: Callable[..., None]) -> Evaluation | None:
    """Ask the golden questions that nobody has asked in these words, within the budget; None where there are none.

    :param tell: tells how far it is, see ``feedback.llm.progress.Progress``.
    """
    from feedback.hooks.model_endpoint import model_endpoint
    from feedback.llm.answering import answering
    from feedback.llm.golden_asked import ask_golden, golden_ledger, owed_golden
    from feedback.resolution import catalog

    warehouse = open_warehouse(settings)
    warehouse.migrate()
    if not warehouse.rows(GOLDEN):
        return None
    how = replace(asking(settings), unheard=())  # who decides nothing is shown all the same
    run = Run(f"eval__{utc_now():%Y-%m-%dT%H:%M:%S}", "eval", "eval")
    known = catalog.read(CATALOG, ENTITY_KINDS).names
    with answering(model_endpoint("openai_default", warehouse.engine, how), how, known) as (endpoint, models):
        ledger, stopped = None, ""
        if items := owed_golden(warehouse, ENRICHMENTS, how, models):
            ledger = golden_ledger(warehouse, run, how, models)
            stopped = ask_golden(items, ledger, ENRICHMENTS, how, endpoint, models, tell)
    model = models.small.name
    judged = tuple(_judged(warehouse, model))
    if not judged:
        return None
    return Evaluation(
        model=model,
        judged=judged,
        calls=ledger.calls if ledger else 0,
        cost_usd=ledger.cost_usd if ledger else 0.0,
        seconds=warehouse.rows(SECONDS, (run.run_id,))[0]["seconds"],
        stopped=stopped,
    )


def _judged(warehouse: Warehouse, model: str) -> Iterator[Judged]:
    for enrichment in ENRICHMENTS:
        subject, pair = ANSWER_SUBJECTS[enrichment.name], (enrichment.prompt_version, model)
        given = given_answers(warehouse, subject, pair)
        found = scores(right_answers(warehouse, subject), given, _published(warehouse, enrichment))
        if found:
            is_approved = PROMPTS.get(enrichment.name) == enrichment.prompt_version
            stands = standing(warehouse, subject, pair)
            yield Judged(enrichment.name, enrichment.prompt_version, is_approved, found, stands)


def _published(warehouse: Warehouse, enrichment: Enrichment) -> dict[str, Labels]:
    subject = ANSWER_SUBJECTS[enrichment.name]
    found: dict[str, set[str]] = {
        row["item_id"]: set()
        for row in warehouse.rows(
            "select item_id from ops.answers where enrichment = ? and status = 'answered'", (enrichment.name,)
        )
    }
    for row in warehouse.rows(f"select item_id, {subject.compared} as label from {enrichment.table}"):
        found.setdefault(row["item_id"], set()).add(subject.fold(row["label"]))
    return {item: frozenset(labels) for item, labels in found.items()}
