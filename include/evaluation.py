"""The golden set asked with the current prompts and model: how right it is, what flips, what it costs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.llm.enrichment import Enrichment
from feedback.model import Run, utc_now
from feedback.validation.golden import ENOUGH
from feedback.validation.scores import Labels, Scores, scores
from include.approved import LEAST, PROMPTS
from include.enrichments import ENRICHMENTS
from include.entities import CATALOG, ENTITY_KINDS
from include.expectations import ANSWER_SUBJECTS
from include.llm import asking
from include.settings import Settings
from include.warehouse import warehouse as open_warehouse

if TYPE_CHECKING:
    from feedback.llm.pack import Row
    from feedback.llm.results import Results
    from feedback.warehouse.base import Warehouse

GOLDEN = """
    select golden.item_id, golden.enrichment, golden.answer, items.text, items.rating
    from ops.golden as golden join feedback.items as items on items.item_id = golden.item_id
    where items.is_askable order by golden.item_id, golden.enrichment
"""
SECONDS = """
    select avg(datediff('millisecond', started_at, finished_at)) / 1000.0 as seconds from ops.llm_calls
    where run_id = ? and status = 'settled'
"""


@dataclass(frozen=True)
class Judged:
    """One enrichment's scores, and whether the gate would publish it.

    :param least: what ``include/approved.py`` demands of this model; None where it is not listed.
    """

    enrichment: str
    prompt_version: str
    is_approved: bool
    scores: Scores
    least: float | None

    @property
    def holds(self) -> bool:
        return self.least is None or self.scores.items < ENOUGH or self.scores.share.low >= self.least


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
    """Ask the golden questions that the ledger does not know, within the budget; None where there are none.

    :param tell: tells how far it is, see ``feedback.llm.progress.Progress``.
    """
    from feedback.hooks.model_endpoint import model_endpoint
    from feedback.llm.answering import answering
    from feedback.llm.ledger import Ledger
    from feedback.llm.session import Session
    from feedback.resolution import catalog

    warehouse = open_warehouse(settings)
    warehouse.migrate()
    golden, rows = _golden(warehouse)
    if not rows:
        return None
    how = asking(settings)
    run = Run(f"eval__{utc_now():%Y-%m-%dT%H:%M:%S}", "eval", "eval")
    known = catalog.read(CATALOG, ENTITY_KINDS).names
    with answering(model_endpoint("openai_default", warehouse.engine, how), how, known) as (endpoint, models):
        ledger = Ledger(warehouse, run, "offline" if models.is_offline else "online", how.journal, "golden")
        results = Session(ledger, ENRICHMENTS, how, endpoint, models, tell).ask(list(rows.values()))
    model = models.small.name
    return Evaluation(
        model=model,
        judged=tuple(_judged(warehouse, golden, rows, results, model)),
        calls=ledger.calls,
        cost_usd=ledger.cost_usd,
        seconds=warehouse.rows(SECONDS, (run.run_id,))[0]["seconds"],
        stopped=results.stopped,
    )


def _golden(warehouse: Warehouse) -> tuple[dict[str, dict[str, Labels]], dict[str, Row]]:
    """Return the right labels by enrichment and item, and each item's row with the questions it is golden for."""
    from feedback.llm.pack import Row

    known = {enrichment.name for enrichment in ENRICHMENTS}
    golden: dict[str, dict[str, Labels]] = defaultdict(dict)
    items: dict[str, tuple[str, int | None, list[str]]] = {}
    for row in warehouse.rows(GOLDEN):
        if row["enrichment"] in known:
            answer = json.loads(row["answer"])
            labels = answer if isinstance(answer, list) else [answer]
            golden[row["enrichment"]][row["item_id"]] = _labels(row["enrichment"], labels)
            items.setdefault(row["item_id"], (row["text"], row["rating"], []))[2].append(row["enrichment"])
    return golden, {item: Row(text, rating, tuple(names)) for item, (text, rating, names) in items.items()}


def _labels(name: str, labels: list[Any]) -> Labels:
    fold = ANSWER_SUBJECTS[name].fold
    return frozenset(fold(label["surface"] if isinstance(label, dict) else label) for label in labels)


def _judged(
    warehouse: Warehouse,
    golden: dict[str, dict[str, Labels]],
    rows: dict[str, Row],
    results: Results,
    model: str,
) -> Iterator[Judged]:
    for enrichment in ENRICHMENTS:
        said = {
            item: _said(enrichment, results.answers[row.key, enrichment.name].answer)
            for item, row in rows.items()
            if (row.key, enrichment.name) in results.answers
        }
        found = scores(golden.get(enrichment.name, {}), said, _published(warehouse, enrichment))
        if found:
            version = enrichment.prompt_version
            least = LEAST.get(enrichment.name, {}).get(model)
            yield Judged(enrichment.name, version, PROMPTS.get(enrichment.name) == version, found, least)


def _said(enrichment: Enrichment, answer: dict[str, Any]) -> Labels:
    column = "surface" if ANSWER_SUBJECTS[enrichment.name].compared == "norm" else "label"
    return _labels(enrichment.name, [part[column] for part in enrichment.parts(answer)])


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
