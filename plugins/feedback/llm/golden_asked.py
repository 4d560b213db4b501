"""Golden items, asked beside what is owed: once by each prompt version and model, so that the gate knows both.

Before the rest, for the budget may end. Nothing of it is staged or published, and nothing is paid twice: an item that
the batch owes too then has its answer in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from feedback.llm.asking import Asking
from feedback.llm.cascade import Models
from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import Ledger
from feedback.llm.owed import Owed, rows_of, versions
from feedback.llm.results import Results
from feedback.llm.service import Endpoint
from feedback.llm.session import Session
from feedback.model import Run, utc_now
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import upsert

PURPOSE = "golden"
"""Of these calls in the ledger."""

KEY = ("item_id", "enrichment", "prompt_version", "model")


def query(enrichments: Sequence[Enrichment], model: str, unheard: Sequence[str]) -> tuple[str, list[str]]:
    """Return the query for the golden questions that a model has not been asked in these words, and its values."""
    asks = "".join(" and golden.author <> ?" for _ in unheard)
    sql = f"""
        select items.item_id, items.content_hash, golden.enrichment, asked.prompt_version
        from ops.golden as golden
        join ({versions(enrichments)}) as asked on asked.enrichment = golden.enrichment
        join feedback.items as items on items.item_id = golden.item_id
        left join ops.golden_answers as known
            on known.item_id = golden.item_id and known.enrichment = golden.enrichment
            and known.prompt_version = asked.prompt_version and known.content_hash = items.content_hash
            and known.model = ?
        where items.is_askable and known.item_id is null{asks}
        """
    return sql, [model, *unheard]


def owed_golden(warehouse: Warehouse, enrichments: Sequence[Enrichment], asking: Asking, models: Models) -> list[Owed]:
    """Return the golden items with the questions that are not answered yet."""
    return _items(warehouse, query(enrichments, models.small.name, asking.unheard))


def golden_ledger(warehouse: Warehouse, run: Run, asking: Asking, models: Models) -> Ledger:
    """Return what keeps what they cost. Make it only to ask: that closes it."""
    mode = "offline" if models.is_offline else "online" if asking.mode == "batch" else asking.mode
    return Ledger(warehouse, run, mode, asking.journal, PURPOSE)


def ask_golden(
    items: Sequence[Owed],
    ledger: Ledger,
    enrichments: Sequence[Enrichment],
    asking: Asking,
    endpoint: Endpoint,
    models: Models,
    tell: Callable[..., None],
) -> str:
    """Ask the items within the budget, and keep the answers in ``ops.golden_answers``.

    Return why asking stopped, if it did; the rest is asked the next time. What it cost is in the ledger, whatever
    happens.
    """
    results = Session(ledger, enrichments, asking, endpoint, models, tell).ask(rows_of(items))
    known = {enrichment.name: enrichment for enrichment in enrichments}
    rows = [
        _row(item, known[name], results, models.small.name, ledger.run)
        for item in items
        for name in item.enrichments
        if not results.is_open((item.key, name))
    ]
    upsert(ledger.warehouse, "ops.golden_answers", rows, KEY)
    return results.stopped


def _items(warehouse: Warehouse, owed: tuple[str, list[str]]) -> list[Owed]:
    sql, values = owed
    found = warehouse.rows(
        f"select asked.item_id, asked.content_hash, asked.enrichment, items.text, items.rating"
        f" from ({sql}) as asked join feedback.items as items on items.item_id = asked.item_id"
        " order by asked.item_id, asked.enrichment",
        values,
    )
    items: dict[str, Owed] = {}
    for row in found:
        item = items.setdefault(row["item_id"], Owed(row["item_id"], row["text"], row["rating"], row["content_hash"]))
        item.enrichments = (*item.enrichments, row["enrichment"])
    return list(items.values())


def _row(item: Owed, enrichment: Enrichment, results: Results, model: str, run: Run) -> dict[str, Any]:
    decided = results.answers.get((item.key, enrichment.name))
    return {
        "item_id": item.item_id,
        "enrichment": enrichment.name,
        "content_hash": item.content_hash,
        "prompt_version": enrichment.prompt_version,
        "model": model,
        "answer": [part[enrichment.told_by] for part in enrichment.parts(decided.answer)] if decided else None,
        "run_id": run.run_id,
        "answered_at": utc_now(),
    }
