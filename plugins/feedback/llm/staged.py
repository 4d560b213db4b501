"""Answers as rows: what a run proposes for each table, and its account of what became of each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import feedback
from feedback.llm.enrichment import Enrichment
from feedback.llm.owed import AFRESH, RULE, WAITING, WHOLE, Owed, Shard, together, waiting
from feedback.llm.reading import GROUNDED
from feedback.llm.results import Decided, Question, Results
from feedback.model import Run, utc_now
from feedback.text.grounding import locate
from feedback.text.redaction import has_personal_data
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import Rows
from feedback.warehouse.merge import Writing, proposed, stage_together, write_together

if TYPE_CHECKING:
    import pyarrow as pa

WRITE_QUESTIONS = 10_000
"""So many come together before they are written: some 5 MB."""

FREE = {"cache": "from_ledger", "rule": "by_rule"}
"""How answers that cost nothing are counted."""


class Account(NamedTuple):
    """What became of one question about an item."""

    item_id: str
    content_hash: str
    outcome: str
    rows_out: int
    model: str | None
    reason: str | None


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
        """Take every owed question of a shard, each in exactly one place."""
        now = utc_now()
        for enrichment in self.enrichments:
            accounts: list[Account] = []
            rows: list[dict[str, Any]] = []
            for item in items:
                if enrichment.name in item.enrichments:
                    question = (item.key, enrichment.name)
                    decided = results.answers.get(question)
                    mine = _rows(item, enrichment, decided) if decided else []
                    outcome, reason = ("staged", None) if decided else _why_not(item, question, results)
                    model = decided.model if decided else None
                    accounts.append(Account(item.item_id, item.content_hash, outcome, len(mine), model, reason))
                    self._count(outcome, decided)
                    rows += mine
            version = {"prompt_version": enrichment.prompt_version}
            answered = {"is_stale": False, "engine_version": feedback.__version__, "answered_at": now}
            self._take(enrichment.name, rows, shard, version | answered)
            self._take("asked", accounts, shard, {"enrichment": enrichment.name, **version, "asked_at": now})
        self._shards.append(shard)

    @property
    def is_due(self) -> bool:
        """Whether enough has come together to be written."""
        return sum(table.num_rows for table in self._tables.get("asked", ())) >= WRITE_QUESTIONS

    def write(self, beside: Sequence[Writing] = ()) -> None:
        """Write what was taken, and take it out of what waits; in the same transaction what stands beside it."""
        import pyarrow as pa

        if not self._shards:
            write_together(self.warehouse, beside)
            return
        tables = {name: pa.concat_tables(parts) for name, parts in self._tables.items()}
        names = [shard.name for shard in self._shards]
        taken_up = together(shard for shard in self._shards if shard.name != WHOLE)
        no_more_waiting = [
            (f"delete from staging.asked where {WAITING}", waiting(stretch, self.run)) for stretch in taken_up
        ]
        stage_together(self.warehouse, tables, self.run, names, [*no_more_waiting, self._set_aside], beside)
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

    def _take(self, table: str, rows: Rows, shard: Shard, shared: Mapping[str, Any]) -> None:
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
