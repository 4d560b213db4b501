"""What asking would cost, before anything is asked: counted by the warehouse, so that it takes no memory of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedback.llm import golden_asked, owed
from feedback.llm.asking import Asking
from feedback.llm.checks import ONE_IN_FIRST, PackChecks
from feedback.llm.enrichment import Enrichment
from feedback.llm.owed import OFFLINE
from feedback.llm.pack import Row, most_that_fit
from feedback.llm.prices import Model, Usage
from feedback.llm.questions import Registry
from feedback.llm.tokens import CHARS_PER_TOKEN
from feedback.model import Run
from feedback.warehouse.base import Warehouse

ROW_TOKENS = 10
"""About what surrounds a text in its row: its number, its rating, the numbers of its sentences."""

TEXTS = """
    select questions, count(*) as texts, sum(bits) / 8 as bytes
    from (
        select
            asked.content_hash,
            listagg(distinct asked.enrichment, ',') within group (order by asked.enrichment) as questions,
            max(bit_length(items.text)) as bits
        from ({asked}) as asked
        join feedback.items as items on items.item_id = asked.item_id
        group by asked.content_hash
    ) as texts
    group by questions
"""
"""How many distinct texts owe the same questions, and how long they are together."""

NOT_OUT = """
    select asked.*
    from ({asked}) as asked
    left join (
        select sent.content_hash, ',' || sent.enrichments || ',' as enrichments
        from ops.llm_batch_rows as sent
        join ops.llm_batches as batches on batches.intent_id = sent.intent_id
        where batches.ended_at is null
    ) as sent
        on sent.content_hash = asked.content_hash and sent.enrichments like '%,' || asked.enrichment || ',%'
    where sent.content_hash is null
"""
"""What no batch is out with."""

BESIDE = """
    with owed as ({asked})
    select item_id, content_hash, enrichment from owed
    union all
    select item_id, content_hash, enrichment from ({golden}) as golden where exists (select 1 as owed from owed)
"""
"""Golden items are asked where something is owed."""


@dataclass(frozen=True)
class Estimate:
    """Rows, calls, tokens and US dollars, estimated; the ledger's and the provider's caches would make it less.

    :param calls: those that check packing among them.
    """

    rows: int
    questions: int
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float


def planned(warehouse: Warehouse, enrichments: Sequence[Enrichment], model: Model, asking: Asking) -> Estimate:
    """Return what asking everything that is owed now would cost."""
    queries = [owed.query(one, is_offline=model.name == OFFLINE, as_of=asking.as_of) for one in enrichments]
    asked = NOT_OUT.format(asked=" union all ".join(f"({sql})" for sql, _ in queries))
    golden, about = golden_asked.query(enrichments, model.name, asking.unheard)
    checks = PackChecks(warehouse, Registry(enrichments), model, Run("", "", ""), asking.pack)
    values = [*(value for _, values in queries for value in values), *about]
    return _estimate(warehouse, checks, BESIDE.format(asked=asked, golden=golden), values, asking.mode)


def pending(warehouse: Warehouse, checks: PackChecks, mode: str) -> Estimate:
    """Return what the questions would cost that a run has left pending."""
    asked = "select * from staging.asked where run_id = ? and outcome = 'pending'"
    return _estimate(warehouse, checks, asked, [checks.run.run_id], mode)


def of_rows(checks: PackChecks, rows: Sequence[Row], mode: str) -> Estimate:
    """Return what asking rows that all owe the same would cost."""
    size = sum(len(row.text.encode()) for row in rows)
    return _sum(checks, [(rows[0].owed, len(rows), size)] if rows else [], mode)


def _estimate(warehouse: Warehouse, checks: PackChecks, asked: str, values: Sequence[Any], mode: str) -> Estimate:
    found = warehouse.rows(TEXTS.format(asked=asked), values)
    return _sum(checks, [(row["questions"].split(","), int(row["texts"]), int(row["bytes"])) for row in found], mode)


def _sum(checks: PackChecks, groups: Sequence[tuple[Sequence[str], int, int]], mode: str) -> Estimate:
    """Return what groups of texts cost together.

    :param groups: of each the questions that its texts owe, how many texts, and how many bytes these are together.
    """
    model, rows, questions, calls, usage = checks.model, 0, 0, 0, Usage()
    for names, texts, size in groups:
        together = checks.registry.questions(names)
        length = size // CHARS_PER_TOKEN // texts + ROW_TOKENS
        alone = 0 if model.name == OFFLINE or mode == "batch" else min(checks.first, texts // ONE_IN_FIRST)
        packs = -(-texts // min(checks.most_rows, most_that_fit(together, length, model)))
        usage += Usage(
            input_tokens=(packs + alone) * together.tokens + (texts + alone) * length,
            output_tokens=(texts + alone) * together.answer_tokens,
        )
        rows, questions, calls = rows + texts, questions + texts * len(names), calls + packs + alone
    usd = model.cost(usage) * model.share(mode)
    return Estimate(rows, questions, calls, usage.input_tokens, usage.output_tokens, usd)
