"""Publishes what a run staged and its gate let pass: all of it in one transaction, or nothing.

A published row gives way only to a newer one, so clearing an old run neither removes nor ages anything.
Published rows leave staging in the transaction that published them, so doing it again does nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feedback.errors import GateBlocked
from feedback.validation import answered, quarantine
from feedback.validation.cases import may_publish
from feedback.validation.checks import proposed
from feedback.validation.subject import Subject, Table
from feedback.warehouse.base import Relation, Step, Warehouse
from feedback.warehouse.incoming import columns_of, incoming

KEPT_ITEMS = """
    select
        staged.item_id, staged.content_hash, staged.is_askable,
        coalesce(published.first_run_id, staged.run_id) as first_run_id
    from staging.items as staged
    left join feedback.items as published on published.item_id = staged.item_id
    where staged.run_id = ?
        and staged.item_id not in (select item_id from staging.rejects where run_id = ? and subject = 'items')
        and not coalesce(published.updated_at > staged.updated_at, false)
"""
# A proposal was made against what was published then; a later run's decisions make it void.
IS_CURRENT = """
    select coalesce(max(staged.made_at) >= max(published.made_at), true) as is_current
    from (
        select max(decided_at) as made_at from staging.entity_decisions where run_id = ?
        union all select max(created_at) from staging.entity_events where run_id = ?
    ) as staged
    cross join (
        select max(decided_at) as made_at from ops.entity_decisions
        union all select max(created_at) from ops.entity_events
    ) as published
"""


@dataclass(frozen=True)
class _Publication:
    """The statements that publish a kind of rows, and what they speak of.

    :param incoming: ``published`` among them: the ``item_id`` of all that is out of quarantine by it.
    """

    steps: list[Step]
    incoming: Mapping[str, Relation]
    counts: Mapping[str, int]


def publish(warehouse: Warehouse, subject: Subject, run_id: str) -> dict[str, int]:
    """Publish a run's rows of a subject and return what was counted; nothing where nothing is staged.

    :raises GateBlocked: no gate let the batch pass, and no person: a task marked as successful is no verdict.
    """
    if not proposed(warehouse, subject, run_id):
        return {"published": 0, "quarantined": 0}
    if not may_publish(warehouse, subject, run_id):
        raise GateBlocked(f"{subject.name} of {run_id} is not published: clear its validate task, or see ops.cases")
    publication = {"items": _items, "answers": _answers, "entities": _entities}[subject.kind](
        warehouse, subject, run_id
    )
    set_aside = quarantine.set_aside(warehouse, subject, run_id)
    table = incoming(warehouse, "ops.quarantine", set_aside)
    warehouse.transact(
        [
            *publication.steps,
            *quarantine.steps(subject, run_id, table.column_names),
            *_emptied(subject, run_id),
        ],
        {**publication.incoming, "quarantine": table},
    )
    return {**publication.counts, "quarantined": len({row["item_id"] for row in set_aside})}


def _items(warehouse: Warehouse, subject: Subject, run_id: str) -> _Publication:
    kept = KEPT_ITEMS, (run_id, run_id)
    counted = warehouse.rows(f"select count(*) as n from ({KEPT_ITEMS}) as kept", (run_id, run_id))[0]["n"]
    replaced = incoming(warehouse, "feedback.answers_history", _retired(warehouse, subject, run_id))
    steps = [
        *_by_item(warehouse, subject.judged, run_id, {"first_run_id": "kept.first_run_id"}),
        *(step for name in subject.answered_by for step in _ageing(name)),
        answered.KEEP_REPLACED,
        # Its old words may come back before anybody is asked again: then they are owed.
        "update ops.answers set status = 'unasked', rows_out = 0"
        " where item_id in (select item_id from incoming.published where not is_askable)",
    ]
    return _Publication(steps, {"published": kept, "replaced": replaced}, {"published": counted})


def _retired(warehouse: Warehouse, subject: Subject, run_id: str) -> list[dict[str, Any]]:
    """Return the history of answers about texts that are asked about no more: no newer one will replace them."""
    wordless = f"select item_id from ({KEPT_ITEMS}) as kept where not is_askable"
    rows = []
    for name in subject.answered_by:
        published = warehouse.rows(f"select * from feedback.{name} where item_id in ({wordless})", (run_id, run_id))
        rows += answered.history(name, published, run_id)
    return rows


def _ageing(enrichment: str) -> list[Step]:
    """Mark answers to a text that has changed, and those whose text has changed back; end those to no text."""
    same_item = f"select 1 from incoming.published as new where new.item_id = {enrichment}.item_id"
    return [
        f"delete from feedback.{enrichment} where exists ({same_item} and not new.is_askable)",
        f"update feedback.{enrichment} set is_stale = true where not is_stale"
        f" and exists ({same_item} and new.content_hash <> {enrichment}.content_hash)",
        f"update feedback.{enrichment} set is_stale = false where is_stale"
        f" and exists ({same_item} and new.content_hash = {enrichment}.content_hash)",
    ]


def _answers(warehouse: Warehouse, subject: Subject, run_id: str) -> _Publication:
    pairs = answered.pairs(warehouse, subject, run_id)
    given = [pair for pair in pairs if pair["status"] == "answered"]
    tables = {
        "published": answered.published(given),
        "pairs": incoming(warehouse, "ops.answers", [answered.as_row(pair) for pair in pairs]),
        "replaced": incoming(
            warehouse, "feedback.answers_history", answered.replaced(warehouse, subject, run_id, given)
        ),
    }
    steps = [
        *answered.steps(subject, tables["pairs"].column_names),
        *_by_item(warehouse, subject.judged, run_id, {"is_stale": "kept.is_stale"}),
    ]
    by_status = Counter(pair["status"] for pair in pairs)
    rows = sum(pair["rows_out"] for pair in given)
    counts = {"published": len(given), "rows": rows, "pending": by_status["pending"]}
    return _Publication(steps, tables, counts)


def _by_item(warehouse: Warehouse, table: Table, run_id: str, changed: Mapping[str, str]) -> list[Step]:
    """Replace all rows of the items in ``incoming.published`` by this run's."""
    columns = list(columns_of(warehouse, table.published))
    selected = ", ".join(changed.get(column, f"staged.{column}") for column in columns)
    return [
        f"delete from {table.published} where item_id in (select item_id from incoming.published)",
        (
            f"insert into {table.published} ({', '.join(columns)}) select {selected} from {table.staged} as staged"
            " join incoming.published as kept on kept.item_id = staged.item_id where staged.run_id = ?",
            (run_id,),
        ),
    ]


def _entities(warehouse: Warehouse, subject: Subject, run_id: str) -> _Publication:
    with_key = f"select {subject.item_id} as item_id from {subject.judged.staged} where run_id = ?"
    without_rejects = f"{subject.item_id} not in (select item_id from staging.rejects where run_id = ? and subject = ?)"
    kept = warehouse.arrow(f"{with_key} and {without_rejects}", (run_id, run_id, subject.name))
    if not warehouse.rows(IS_CURRENT, (run_id, run_id))[0]["is_current"]:
        return _Publication([], {"published": kept.slice(0, 0)}, {"published": 0, "void": kept.num_rows})
    steps = [step for table in subject.tables for step in _by_key(warehouse, subject, table, run_id)]
    return _Publication(steps, {"published": kept}, {"published": kept.num_rows})


def _by_key(warehouse: Warehouse, subject: Subject, table: Table, run_id: str) -> list[Step]:
    """Replace the rows of a table whose keys this run staged and nobody set aside."""
    columns = ", ".join(columns_of(warehouse, table.published))
    kept = f"{subject.item_id} in (select item_id from incoming.published)" if table == subject.judged else "1 = 1"
    proposal = f"select {columns} from {table.staged} where run_id = ? and {kept}"
    same = " and ".join(f"new.{column} = {table.name}.{column}" for column in table.key)
    return [
        (f"delete from {table.published} where exists (select 1 from ({proposal}) as new where {same})", (run_id,)),
        (f"insert into {table.published} ({columns}) {proposal}", (run_id,)),
    ]


def _emptied(subject: Subject, run_id: str) -> list[Step]:
    """Empty staging of this run's part of the subject."""
    return [
        *((f"delete from {table.staged} where run_id = ?", (run_id,)) for table in subject.tables),
        ("delete from staging.asked where run_id = ? and enrichment = ?", (run_id, subject.name)),
        ("delete from staging.rejects where run_id = ? and subject = ?", (run_id, subject.name)),
    ]
