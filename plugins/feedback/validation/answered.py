"""What became of each pair that a run asked: its row in ``ops.answers``, and the answer it replaces."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feedback.model import utc_now
from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

Pair = dict[str, Any]

# Left out: a pair whose item is gone or asked about no more, and one that a later answer has overtaken, whoever
# gave it.
PAIRS = """
    select
        asked.item_id,
        asked.enrichment,
        case
            when rejected.item_id is not null then 'quarantined'
            when asked.outcome = 'staged' then 'answered'
            else asked.outcome
        end as status,
        asked.content_hash,
        asked.prompt_version,
        asked.model,
        coalesce(staged.times, 0) as rows_out,
        coalesce(rejected.rule, asked.reason) as reason,
        asked.run_id,
        coalesce(staged.answered_at, asked.asked_at) as answered_at,
        items.content_hash <> asked.content_hash as is_stale
    from (
        select
            run_id, enrichment, item_id, content_hash, prompt_version, model, outcome, reason,
            max(coalesce(asked_at, cast('1970-01-01' as timestamp_ntz))) as asked_at
        from staging.asked where run_id = ? and enrichment = ?
        group by run_id, enrichment, item_id, content_hash, prompt_version, model, outcome, reason
    ) as asked
    join feedback.items as items on items.item_id = asked.item_id
    left join (
        select item_id, count(*) as times, max(answered_at) as answered_at
        from {staged} where run_id = ? group by item_id
    ) as staged on staged.item_id = asked.item_id
    left join (
        select item_id, min(rule) as rule from staging.rejects where run_id = ? and subject = ? group by item_id
    ) as rejected on rejected.item_id = asked.item_id
    left join ops.answers as known on known.item_id = asked.item_id and known.enrichment = asked.enrichment
    left join (
        select item_id, max(answered_at) as answered_at from {published} group by item_id
    ) as published on published.item_id = asked.item_id
    where items.is_askable
        and not coalesce(known.answered_at > coalesce(staged.answered_at, asked.asked_at), false)
        and not coalesce(published.answered_at > coalesce(staged.answered_at, asked.asked_at), false)
"""

_HISTORY = "item_id, enrichment, answered_at, answer, replaced_at, run_id"
KEEP_REPLACED = (
    f"insert into feedback.answers_history ({_HISTORY})"
    f" select {_HISTORY.replace('answer,', 'parse_json(answer),')} from incoming.replaced"
)


def pairs(warehouse: Warehouse, subject: Subject, run_id: str) -> list[Pair]:
    """Return each asked pair with what became of it."""
    query = PAIRS.format(staged=subject.judged.staged, published=subject.judged.published)
    return warehouse.rows(query, (run_id, subject.name, run_id, run_id, subject.name))


def published(given: Sequence[Pair]) -> pa.Table:
    """Return the items whose rows are replaced, and whether their new answers are stale already."""
    import pyarrow as pa

    return pa.table(
        {
            "item_id": pa.array([pair["item_id"] for pair in given], pa.string()),
            "is_stale": pa.array([pair["is_stale"] for pair in given], pa.bool_()),
        }
    )


def as_row(pair: Pair) -> dict[str, Any]:
    """Return the pair's row in ``ops.answers``; only an answer has rows and a time."""
    row = {name: value for name, value in pair.items() if name != "is_stale"}
    if pair["status"] != "answered":
        return row | {"rows_out": 0, "answered_at": None}
    return row


def replaced(warehouse: Warehouse, subject: Subject, run_id: str, given: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return a row of ``feedback.answers_history`` for each item that had an answer."""
    items = {pair["item_id"] for pair in given}
    query = (
        f"select * from {subject.judged.published} where item_id in"
        " (select item_id from staging.asked where run_id = ? and enrichment = ?)"
    )
    rows = warehouse.rows(query, (run_id, subject.name))
    return history(subject.name, [row for row in rows if row["item_id"] in items], run_id)


def history(enrichment: str, rows: Sequence[Mapping[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """Return published rows that go as rows of ``feedback.answers_history``, one an item."""
    old = defaultdict(list)
    for row in rows:
        old[row["item_id"]].append(row)
    now = utc_now()
    return [
        {
            "item_id": item_id,
            "enrichment": enrichment,
            "answered_at": max(row["answered_at"] for row in rows),
            "answer": json.dumps(rows, default=str, ensure_ascii=False),
            "replaced_at": now,
            "run_id": run_id,
        }
        for item_id, rows in old.items()
    ]


def steps(subject: Subject, columns: Sequence[str]) -> list[Step]:
    """Return the statements that keep what is replaced and say what became of each pair."""
    names = ", ".join(columns)
    return [
        KEEP_REPLACED,
        (
            "delete from ops.answers where enrichment = ? and item_id in (select item_id from incoming.pairs)",
            (subject.name,),
        ),
        f"insert into ops.answers ({names}) select {names} from incoming.pairs",
    ]
