"""Moves a Slack workspace that is stored under another id to its own: no row is lost, none is doubled.

An export does not always say whose it is; the API does. Everything that is keyed by the workspace moves in one
transaction: raw rows, what is published of them, what is asked and answered, and what waits. Where a row is there
under both ids, the one under the right id stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedback.model import Renamed
from feedback.resolution.normalise import mention_id
from feedback.warehouse.base import Step, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

BY_TEAM = {
    "raw.slack_channels": ("id",),
    "raw.slack_users": ("id",),
    "raw.slack_messages": ("channel_id", "ts"),
    "raw.slack_messages_history": ("channel_id", "ts", "valid_from"),
    "ops.slack_threads": ("channel_id", "thread_ts"),
}
"""The tables with a ``team_id``, and the rest of their keys."""
HOLDING = """
    select lower(c.table_schema) || '.' || lower(c.table_name) as name
    from information_schema.columns as c
    join information_schema.tables as t on t.table_schema = c.table_schema and t.table_name = c.table_name
    where lower(c.column_name) = ? and t.table_type = 'BASE TABLE'
        and lower(c.table_schema) in ('feedback', 'ops', 'staging') and lower(c.table_name) not like 'incoming%'
    order by name
"""
"""Every table of ours with a column of that name, those of enrichments to come among them."""

MENTIONS = """
    select mention_id, item_id, kind, norm
    from (
        select mention_id, item_id, kind, norm from feedback.mentions
        union
        select mention_id, item_id, kind, norm from staging.mentions
    ) as mentions
    where substr(item_id, 1, ?) = ?
"""


def rekey(warehouse: Warehouse, renamed: Renamed) -> None:
    """Move everything of a workspace to its own id."""
    by_item = [row["name"] for row in warehouse.rows(HOLDING, ("item_id",))]
    by_key = [row["name"] for row in warehouse.rows(HOLDING, ("row_key",))]
    steps: list[Step] = [
        *(step for table, key in BY_TEAM.items() for step in _of_team(table, key, renamed)),
        *(step for table in by_item for step in _of_items(table, renamed)),
        *(step for table in by_key for step in _of_keys(table, renamed)),
    ]
    mentions, holding = _mentions(warehouse, renamed), warehouse.rows(HOLDING, ("mention_id",))
    steps += [step for row in holding for step in _of_mentions(row["name"], "mention_id")]
    steps += [step for table in by_key for step in _of_mentions(table, "row_key")]
    # The hash of an author holds the workspace: what is older than its raw rows is made again.
    steps.append(
        (
            "update feedback.items set source_key = substr(item_id, 7), updated_at = timestamp '1970-01-01 00:00:00'"
            " where substr(item_id, 1, ?) = ? and source_key <> substr(item_id, 7)",
            _prefix("slack:", renamed.new),
        )
    )
    warehouse.transact(steps, {"mentions": mentions})


def _prefix(before: str, team: str, after: str = ":") -> tuple[int, str]:
    """The values of a condition ``substr(…, 1, ?) = ?``: a name may hold what LIKE takes for a pattern."""
    prefix = f"{before}{team}{after}"
    return len(prefix), prefix


def _of_team(table: str, key: tuple[str, ...], renamed: Renamed) -> Iterator[Step]:
    same = " and ".join(f"own.{column} = {table.split('.')[1]}.{column}" for column in key)
    yield (
        f"delete from {table} where team_id = ? and exists (select 1 from {table} as own where own.team_id = ?"
        f" and {same})",
        (renamed.old, renamed.new),
    )
    yield f"update {table} set team_id = ? where team_id = ?", (renamed.new, renamed.old)


def _of_items(table: str, renamed: Renamed) -> Iterator[Step]:
    length, old = _prefix("slack:", renamed.old)
    new = f"slack:{renamed.new}:"
    moved = f"? || substr(item_id, {length + 1})"
    yield (
        f"delete from {table} where substr(item_id, 1, ?) = ? and {moved} in (select item_id from {table})",
        (length, old, new),
    )
    yield f"update {table} set item_id = {moved} where substr(item_id, 1, ?) = ?", (new, length, old)


def _of_keys(table: str, renamed: Renamed) -> Iterator[Step]:
    """Keys of raw rows begin with the workspace, keys of answers with their item."""
    for before, after in (("", "|"), ("slack:", ":")):
        length, old = _prefix(before, renamed.old, after)
        yield (
            f"update {table} set row_key = ? || substr(row_key, {length + 1}) where substr(row_key, 1, ?) = ?",
            (f"{before}{renamed.new}{after}", length, old),
        )


def _mentions(warehouse: Warehouse, renamed: Renamed) -> pa.Table:
    """Return the ids of the mentions that move, old and new: they are hashes of the item's."""
    import pyarrow as pa

    length, old = _prefix("slack:", renamed.old)
    found = warehouse.rows(MENTIONS, (length, old))
    new = [mention_id(f"slack:{renamed.new}:{row['item_id'][length:]}", row["kind"], row["norm"]) for row in found]
    return pa.table(
        {"old_id": pa.array([row["mention_id"] for row in found], pa.string()), "new_id": pa.array(new, pa.string())}
    )


def _of_mentions(table: str, column: str) -> Iterator[Step]:
    name = table.split(".")[1]
    yield (
        f"update {table} set {column} = moved.new_id from incoming.mentions as moved"
        f" where moved.old_id = {name}.{column}"
    )
