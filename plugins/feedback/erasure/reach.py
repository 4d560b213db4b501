"""What an erasure would touch in the warehouse: raw rows are marked, and what hangs on them is found and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedback.erasure.answers import ITEMS, Name, paid, said, theirs_alone
from feedback.erasure.files import tells, without
from feedback.erasure.repeated import Rows, repeating
from feedback.erasure.scope import IS_BLANK, MESSAGES, SLACK, Scope
from feedback.llm.enrichment import Enrichment
from feedback.model import Run
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import incoming
from feedback.warehouse.merge import RAW

ABOUT_ITEMS = """
    select lower(c.table_schema) || '.' || lower(c.table_name) as name
    from information_schema.columns as c
    join information_schema.tables as t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where lower(c.column_name) = 'item_id' and t.table_type = 'BASE TABLE'
        and lower(c.table_schema) in ('feedback', 'ops', 'staging')
        and lower(c.table_name) <> 'erasing' and lower(c.table_name) not like 'incoming%'
    order by name
"""
"""Every table with a row about an item, those of enrichments to come among them."""
MARKED = "select row_key from staging.erasing where run_id = ? and target = ? and is_own"
"""The keys of the rows of a raw table whose own words go."""
POSTS = "select post_key, body from ops.posts where body is not null order by post_key"


@dataclass(frozen=True)
class Reach:
    """What an erasure would touch.

    :param counts: rows by table.
    :param items: the items whose text changes or goes.
    :param about: the tables with rows about items.
    :param repeated: by table the rows that repeat the words, and their payloads without.
    :param answers: keys in ``ops.llm_answers``.
    :param names: those that nobody else has used.
    :param posts: by key in ``ops.posts`` the digests that tell of the items: what is left of each, if anything.
    """

    counts: dict[str, int]
    items: frozenset[str]
    about: tuple[str, ...]
    repeated: dict[str, Rows]
    answers: frozenset[str]
    names: frozenset[Name]
    posts: dict[str, str | None]


def reach(warehouse: Warehouse, scope: Scope, enrichments: Sequence[Enrichment], run: Run) -> Reach:
    """Mark the raw rows of a scope and find all that hangs on them."""
    repeated = repeating(warehouse, scope.author)
    _mark(warehouse, scope, repeated[MESSAGES], run)
    marked = warehouse.rows(f"select distinct item_id from ({ITEMS}) as marked", (run.run_id,))
    items = frozenset(row["item_id"] for row in marked)
    about = tuple(row["name"] for row in warehouse.rows(ABOUT_ITEMS)) if items else ()
    found = said(warehouse, about, run)
    answers, names = paid(warehouse, found, enrichments), theirs_alone(warehouse, found.names, run)
    said_names = {norm for _, norm in names}
    posts = {
        row["post_key"]: without(row["body"], items, said_names)
        for row in warehouse.rows(POSTS)
        if items and tells(row["body"], items, said_names)
    }
    counts = {
        **_of_raw(warehouse, scope, repeated, run),
        **{table: _count(warehouse, table, f"item_id in ({ITEMS})", run.run_id) for table in about},
        "ops.llm_answers": len(answers),
        "feedback.entity_names": len(names),
        "ops.posts": len(posts),
        "ops.reports": _count(warehouse, "ops.reports", "1 = 1") if items else 0,
    }
    return Reach(counts, items, about, repeated, frozenset(answers), frozenset(names), posts)


def _mark(warehouse: Warehouse, scope: Scope, repeating: Rows, run: Run) -> None:
    own: list[Step] = [
        (
            "insert into staging.erasing (target, row_key, item_id, is_own, run_id)"
            f" select ?, {RAW[target].row_key}, {RAW[target].item_id}, true, ? from {target}"
            f" where not ({IS_BLANK}) and ({condition})",
            (target, run.run_id, *values),
        )
        for target, (condition, values) in scope.rows.items()
    ]
    mark = {"target": MESSAGES, "is_own": False, "run_id": run.run_id}
    others = [{**mark, "row_key": row["row_key"], "item_id": row["item_id"]} for row in repeating]
    warehouse.transact(
        [unmark(run), *own, "insert into staging.erasing select * from incoming.others"],
        {"others": incoming(warehouse, "staging.erasing", others)},
    )


def unmark(run: Run) -> Step:
    """Return the statement that forgets what a run has marked."""
    return "delete from staging.erasing where run_id = ?", (run.run_id,)


def _of_raw(warehouse: Warehouse, scope: Scope, repeated: dict[str, Rows], run: Run) -> dict[str, int]:
    counts = {table: len(rows) for table, rows in repeated.items()}
    for target in scope.rows:
        marked = (f"{RAW[target].row_key} in ({MARKED})", run.run_id, target)
        for table in (target, f"{target}_history"):
            counts[table] = counts.get(table, 0) + _count(warehouse, table, *marked)
    if scope.author and scope.author.source == SLACK:
        counts["raw.slack_users"] = _count(warehouse, "raw.slack_users", "id = ?", scope.author.name)
    return counts


def _count(warehouse: Warehouse, table: str, condition: str, *values: Any) -> int:
    return int(warehouse.rows(f"select count(*) as n from {table} where {condition}", values)[0]["n"])
