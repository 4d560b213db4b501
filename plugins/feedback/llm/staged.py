"""Answers as rows: what a run proposes for each table, and its account of what became of each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import feedback
from feedback.llm.enrichment import Enrichment
from feedback.llm.owed import AFRESH, RULE, WAITING, WHOLE, Owed, Shard, together, waiting
from feedback.llm.reading import GROUNDED
from feedback.llm.results import Decided, Question, Results
from feedback.model import Run, utc_now
from feedback.text.grounding import locate
from feedback.text.redaction import has_personal_data
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.merge import proposed, stage_together

if TYPE_CHECKING:
    import pyarrow as pa

WRITE_QUESTIONS = 10_000
"""So many come together before they are written: some 5 MB."""

FREE = {"cache": "from_ledger", "rule": "by_rule"}
"""How answers that cost nothing are counted."""


class Staging:
    """What a run was answered, on its way into staging: each shard in full, or not at all.

    Half a shard, left by a task that died, would look like a batch that lost its questions. Several shards are
    written together, because each writing of a DuckDB file tidies anew what the one before it wrote.
    """

    def __init__(self, warehouse: Warehouse, enrichments: Sequence[Enrichment], run: Run):
        self.warehouse, self.enrichments, self.run = warehouse, enrichments, run
        self.counts: Counter[str] = Counter()
        """How many questions are staged, quarantined and pending; ``from_ledger`` and ``by_rule``: of the staged, those
        that cost nothing."""
        self._shards: list[Shard] = []
        self._tables: dict[str, list[pa.Table]] = {}

    def add(self, items: Sequence[Owed], results: Results, shard: Shard) -> None:
        """Take every owed question of a shard, each in exactly one place; write once enough has come together."""
        now = utc_now()
        accounts: list[dict[str, Any]] = []
        for enrichment in self.enrichments:
            rows: list[dict[str, Any]] = []
            for item in items:
                if enrichment.name in item.enrichments:
                    question = (item.key, enrichment.name)
                    decided = results.answers.get(question)
                    mine = _rows(item, enrichment, decided) if decided else []
                    outcome, reason = ("staged", None) if decided else _why_not(item, question, results)
                    accounts.append(_account(item, enrichment, outcome, reason, decided, len(mine)))
                    self._count(outcome, decided)
                    rows += mine
            shared = {
                "prompt_version": enrichment.prompt_version,
                "is_stale": False,
                "engine_version": feedback.__version__,
                "answered_at": now,
            }
            self._take(enrichment.name, rows, shard, shared)
        self._take("asked", accounts, shard, {"asked_at": now})
        self._shards.append(shard)
        if sum(table.num_rows for table in self._tables["asked"]) >= WRITE_QUESTIONS:
            self.write()

    def write(self) -> None:
        """Write what was taken, and take it out of what waits."""
        import pyarrow as pa

        if not self._shards:
            return
        tables = {name: pa.concat_tables(parts) for name, parts in self._tables.items()}
        names = [shard.name for shard in self._shards]
        taken_up = together(shard for shard in self._shards if shard.name != WHOLE)
        no_more_waiting = [
            (f"delete from staging.asked where {WAITING}", waiting(stretch, self.run)) for stretch in taken_up
        ]
        stage_together(self.warehouse, tables, self.run, names, then=[*no_more_waiting, self._set_aside])
        self._shards, self._tables = [], {}

    @property
    def _set_aside(self) -> Step:
        """The statement that sets aside what has no valid answer."""
        return (
            "insert into staging.rejects (run_id, subject, row_key, item_id, rule, severity, reason, content_hash,"
            " prompt_version) select run_id, enrichment, item_id, item_id, ?, 'critical', reason, content_hash,"
            " prompt_version from incoming.asked where outcome = 'quarantined'",
            (RULE,),
        )

    def _take(self, table: str, rows: Sequence[dict[str, Any]], shard: Shard, shared: Mapping[str, Any]) -> None:
        taken = proposed(self.warehouse, table, rows, self.run, shard.name, shared)
        self._tables.setdefault(table, []).append(taken)

    def _count(self, outcome: str, decided: Decided | None) -> None:
        self.counts[outcome] += 1
        if decided and decided.decided_by in FREE:
            self.counts[FREE[decided.decided_by]] += 1


def leave_waiting(warehouse: Warehouse, run: Run, reason: str) -> int:
    """Say why what no shard took up is pending; return how many questions that are."""
    pending = "run_id = ? and outcome = 'pending' and reason is null"
    warehouse.transact([(f"update staging.asked set reason = ? where {pending}", (reason, run.run_id))])
    found = warehouse.rows(f"select count(*) as n from staging.asked where {WAITING}", waiting(Shard(), run))
    return int(found[0]["n"])


def _why_not(item: Owed, question: Question, results: Results) -> tuple[str, str]:
    """Return what became of a question without an answer, and why."""
    if question in results.rejected:
        return "quarantined", results.rejected[question]
    if item.text is None:
        return "pending", "text_moved"
    return "pending", AFRESH if question[1] in item.afresh else results.why_waiting(question)


def _account(
    item: Owed, enrichment: Enrichment, outcome: str, reason: str | None, decided: Decided | None, rows_out: int
) -> dict[str, Any]:
    return {
        "enrichment": enrichment.name,
        "item_id": item.item_id,
        "content_hash": item.content_hash,
        "prompt_version": enrichment.prompt_version,
        "outcome": outcome,
        "rows_out": rows_out,
        "model": decided.model if decided else None,
        "reason": reason,
    }


def _rows(item: Owed, enrichment: Enrichment, decided: Decided) -> list[dict[str, Any]]:
    rows = enrichment.rows(item.item_id, decided.answer)
    for row in rows:
        row |= _flags(row, item.text or "")
        row["content_hash"] = item.content_hash
        row["model"], row["decided_by"], row["call_id"] = decided.model, decided.decided_by, decided.call_id
    return rows


def _flags(row: Mapping[str, Any], text: str) -> dict[str, bool]:
    """What the gate asks of the words that would be published; what stands in the item's text is judged there."""
    is_grounded, has_personal = True, False
    for name in GROUNDED:
        word = row.get(name)
        if word and (word not in text or word.isspace()):
            is_grounded = is_grounded and locate(word, text) is not None
            has_personal = has_personal or (word not in text and has_personal_data(word))
    return {"is_grounded": is_grounded, "has_personal_data": has_personal}
