"""Takes back what is published about items that live no more: ``feedback.*`` holds live items only."""

from __future__ import annotations

from feedback.validation.subject import Subject
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import RAW

TRACES = (
    "ops.answers",
    "ops.quarantine",
    "feedback.answers_history",
    "staging.items",
    "staging.asked",
    "staging.rejects",
)
"""Where items leave traces beside the tables of their answers."""


def withdraw(warehouse: Warehouse, items: Subject) -> int:
    """Remove the items of which every raw row is deleted, with their answers and history; return how many.

    What waits for a person in staging goes too: accepted later, it would publish words that are gone. An answer
    that was published while its item went is removed by the next run. What was paid for stays in the ledger.

    :param items: the subject of the items, which names the tables of the answers.
    """
    gone = " union all ".join(_gone(target) for target, table in RAW.items() if table.item_id)
    [counts] = warehouse.rows(
        f"select count(*) as gone, count(items.item_id) as published from ({gone}) as gone"
        " left join feedback.items as items on items.item_id = gone.item_id"
    )
    if not counts["gone"]:
        return 0
    answers = [f"{schema}.{name}" for name in items.answered_by for schema in ("feedback", "staging")]
    warehouse.transact(
        [
            f"delete from {table} where item_id in (select item_id from incoming.gone)"
            for table in ("feedback.items", *answers, *TRACES)
        ],
        {"gone": gone},
    )
    return int(counts["published"])


def _gone(target: str) -> str:
    item = RAW[target].item_id
    return (
        f"select item_id from (select {item} as item_id from {target} where is_deleted"
        f" except select {item} as item_id from {target} where not is_deleted) as {target.split('.')[1]}"
    )
