"""Answers as rows: what a run proposes for each table, and its account of what became of each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import feedback
from feedback.llm.enrichment import Enrichment
from feedback.llm.owed import AFRESH, RULE, WAITING, WHOLE, Owed, Shard, waiting
from feedback.llm.reading import GROUNDED
from feedback.llm.results import Decided, Results
from feedback.model import Run, utc_now
from feedback.text.grounding import locate
from feedback.text.redaction import has_personal_data
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.merge import stage_together


def stage_answers(
    warehouse: Warehouse,
    enrichments: Sequence[Enrichment],
    items: Sequence[Owed],
    results: Results,
    run: Run,
    shard: Shard,
) -> Counter[str]:
    """Stage every owed question of a shard in exactly one place; return how many are staged, quarantined and pending.

    All of it or nothing: half of it, left by a task that died, would look like a batch that lost its questions.
    ``from_ledger`` and ``by_rule`` count those of the staged that cost nothing.
    """
    now = utc_now()
    tables: dict[str, list[dict[str, Any]]] = {}
    accounts = []
    counts: Counter[str] = Counter()
    for enrichment in enrichments:
        rows: list[dict[str, Any]] = []
        for item in (item for item in items if enrichment.name in item.enrichments):
            account = _account(item, enrichment, results, now)
            if account["outcome"] == "staged":
                decided = results.answers[item.key, enrichment.name]
                mine = _rows(item, enrichment, decided, now)
                counts["from_ledger"] += decided.decided_by == "cache"
                counts["by_rule"] += decided.decided_by == "rule"
                account["rows_out"] = len(mine)
                rows += mine
            counts[account["outcome"]] += 1
            accounts.append(account)
        tables[enrichment.name] = rows
    stage_together(warehouse, {**tables, "asked": accounts}, run, shard.name, then=_taken_up(shard, run))
    return counts


def leave_waiting(warehouse: Warehouse, run: Run, reason: str) -> int:
    """Say why what no shard took up is pending; return how many questions that are."""
    pending = "run_id = ? and outcome = 'pending' and reason is null"
    warehouse.transact([(f"update staging.asked set reason = ? where {pending}", (reason, run.run_id))])
    found = warehouse.rows(f"select count(*) as n from staging.asked where {WAITING}", waiting(Shard(), run))
    return int(found[0]["n"])


def _taken_up(shard: Shard, run: Run) -> list[Step]:
    """Return the statements that take the shard out of what waits, and set aside what has no valid answer."""
    taken = [] if shard.name == WHOLE else [(f"delete from staging.asked where {WAITING}", waiting(shard, run))]
    return [
        *taken,
        (
            "insert into staging.rejects (run_id, subject, row_key, item_id, rule, severity, reason, content_hash,"
            " prompt_version) select run_id, enrichment, item_id, item_id, ?, 'critical', reason, content_hash,"
            " prompt_version from incoming.asked where outcome = 'quarantined'",
            (RULE,),
        ),
    ]


def _account(item: Owed, enrichment: Enrichment, results: Results, now: datetime) -> dict[str, Any]:
    question = (item.key, enrichment.name)
    decided = results.answers.get(question)
    if decided:
        outcome, reason = "staged", None
    elif question in results.rejected:
        outcome, reason = "quarantined", results.rejected[question]
    elif item.text is None:
        outcome, reason = "pending", "text_moved"
    else:
        outcome, reason = "pending", AFRESH if enrichment.name in item.afresh else results.why_waiting(question)
    return {
        "enrichment": enrichment.name,
        "item_id": item.item_id,
        "content_hash": item.content_hash,
        "prompt_version": enrichment.prompt_version,
        "outcome": outcome,
        "rows_out": 0,
        "model": decided.model if decided else None,
        "reason": reason,
        "asked_at": now,
    }


def _rows(item: Owed, enrichment: Enrichment, decided: Decided, now: datetime) -> list[dict[str, Any]]:
    lineage = {
        "content_hash": item.content_hash,
        "prompt_version": enrichment.prompt_version,
        "model": decided.model,
        "decided_by": decided.decided_by,
        "is_stale": False,
        "call_id": decided.call_id,
        "engine_version": feedback.__version__,
        "answered_at": now,
    }
    return [{**row, **lineage, **_flags(row, item.text or "")} for row in enrichment.rows(item.item_id, decided.answer)]


def _flags(row: Mapping[str, Any], text: str) -> dict[str, bool]:
    """What the gate asks of the words that would be published; what stands in the item's text is judged there."""
    words = [row[name] for name in GROUNDED if row.get(name)]
    return {
        "is_grounded": all(locate(word, text) is not None for word in words),
        "has_personal_data": any(word not in text and has_personal_data(word) for word in words),
    }
