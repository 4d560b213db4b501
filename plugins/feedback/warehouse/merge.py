"""The ways rows get into a warehouse: raw loads by one MERGE, staging and ledgers by DELETE and INSERT.

Nothing else writes raw tables. The SQL is one text for every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from feedback.model import Batch, Run, utc_now
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import Row, Rows, columns_of, incoming, selected, typed

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "RAW",
    "RawTable",
    "Writing",
    "append",
    "incoming",
    "load",
    "proposed",
    "stage",
    "stage_together",
    "upsert",
    "write_together",
]


@dataclass(frozen=True)
class RawTable:
    """How versions of one raw row are told apart.

    :param key: what identifies a row.
    :param version: the instants that say which of two versions is later, the decisive one first; without
        any, the version loaded last counts.
    :param final: SQL condition of a version that none follows, whatever its instants.
    :param kept: what ``<table>_history`` keeps of a replaced version; empty where there is no such table.
    :param lasting: what does not change from version to version, and not every version says.
    :param item_id: SQL for the item a row belongs to; empty where it belongs to none.
    :param tombstone: what ``ops.tombstones`` calls a deleted row.
    """

    key: tuple[str, ...]
    version: tuple[str, ...] = ()
    final: str = "1 = 0"
    kept: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    item_id: str = ""
    tombstone: str = ""

    @property
    def row_key(self) -> str:
        """SQL for the key as one string."""
        return " || '|' || ".join(self.key)


RAW = {
    "raw.slack_channels": RawTable(key=("team_id", "id")),
    "raw.slack_users": RawTable(key=("team_id", "id")),
    "raw.slack_messages": RawTable(
        key=("team_id", "channel_id", "ts"),
        version=("edited_at",),
        # Slack does not say when a message was deleted, but nobody undoes it; nor does anybody an erasure.
        final="subtype = 'tombstone' or row_hash = 'erased'",
        kept=("text", "payload", "edited_at", "row_hash"),
        item_id="'slack:' || team_id || ':' || channel_id || ':' || thread_ts",
        tombstone="slack_message",
    ),
    "raw.app_reviews": RawTable(
        key=("store", "app_id", "review_id"),
        version=("updated_at", "replied_at"),
        final="row_hash = 'erased'",
        kept=("rating", "title", "body", "reply_text", "updated_at", "payload", "row_hash"),
        lasting=("author", "created_at"),  # Google's report knows no author, its API no day of writing
        item_id="store || ':' || app_id || ':' || review_id",
        tombstone="review",
    ),
    "raw.texts": RawTable(
        key=("source", "id"),
        version=("updated_at",),
        final="row_hash = 'erased'",
        kept=("title", "body", "rating", "updated_at", "payload", "row_hash"),
        item_id="source || ':' || id",
        tombstone="text",
    ),
}


def load(warehouse: Warehouse, batch: Batch, run: Run) -> int | None:
    """Merge a batch into its raw table exactly once; return how many rows were inserted or changed.

    A row already there is touched only by a later version of itself, or by what it lacked. ``None`` says that
    the ledger knew the load before and nothing was done.
    """
    if warehouse.rows("select 1 as known from ops.loads where load_id = ?", (batch.load_id,)):
        return None
    now = utc_now()
    columns = columns_of(warehouse, batch.target)
    stamp = {"first_seen_at": now, "changed_at": now, "run_id": run.run_id}
    defaults = {"is_deleted": False} if "is_deleted" in columns else {}
    loaded = typed(batch.target, columns, [{**defaults, **row, **stamp} for row in batch.rows])
    loaded = loaded.append_column("row_no", [range(len(batch.rows))])
    merge = _Merge(batch.target, columns, batch.is_live)
    warehouse.transact(
        [
            merge.statement,
            *merge.history_steps(now, run),
            *merge.lacking_steps(now, run),
            *merge.alive_steps,
            _remembered(batch, run, now),
        ],
        {"loaded": loaded, **merge.incoming},
    )
    changed = f"select count(*) as n from {batch.target} where run_id = ? and changed_at = ?"
    return int(warehouse.rows(changed, (run.run_id, now))[0]["n"])


def _remembered(batch: Batch, run: Run, now: datetime) -> Step:
    """Return the ledger's row of a load; it comes after the MERGE, and not twice where two loads met."""
    known = "select 1 from ops.loads where load_id = ?"
    row = (batch.load_id, batch.source, batch.part, batch.target, len(batch.rows), run.run_id, now)
    return f"insert into ops.loads select ?, ?, ?, ?, ?, ?, ? where not exists ({known})", (*row, batch.load_id)


def stage(warehouse: Warehouse, table: str, rows: Sequence[Row], run: Run, shard: str = "all") -> int:
    """Replace what this shard of this run proposes for a table; return the number of rows."""
    stage_together(warehouse, {table: proposed(warehouse, table, rows, run, shard)}, run, [shard])
    return len(rows)


def proposed(warehouse: Warehouse, table: str, rows: Rows, run: Run, shard: str, shared: Row | None = None) -> pa.Table:
    """Return rows as ``stage_together`` takes them.

    :param shared: what every row has, beside the run and the shard.
    """
    target = f"staging.{table}"
    mine = {**(shared or {}), "run_id": run.run_id, "shard": shard}
    return typed(target, columns_of(warehouse, target), rows, mine)


def stage_together(
    warehouse: Warehouse,
    tables: Mapping[str, pa.Table],
    run: Run,
    shards: Sequence[str],
    then: Sequence[Step] = (),
    beside: Sequence[Writing] = (),
) -> None:
    """Replace what these shards of this run propose for several tables: for all of them or for none.

    :param then: further statements of the transaction; the rows of a table are ``incoming.<table>`` to them.
    :param beside: further writings of the transaction.
    """
    further, relations = _writing(warehouse, beside)
    theirs = f"run_id = ? and shard in ({', '.join('?' * len(shards))})"
    steps: list[Step] = []
    for table in tables:
        target = f"staging.{table}"
        columns = columns_of(warehouse, target)
        steps += [
            (f"delete from {target} where {theirs}", (run.run_id, *shards)),
            f"insert into {target} ({', '.join(columns)}) select {selected(columns)} from incoming.{table}",
        ]
    warehouse.transact([*steps, *then, *further], {**tables, **relations})


@dataclass(frozen=True)
class Writing:
    """Rows on their way into a table; ``keys``: those that are there under the same key give way to them, of which
    each has one of its own."""

    table: str
    rows: Rows
    keys: tuple[str, ...] = ()


def upsert(warehouse: Warehouse, table: str, rows: Sequence[Row], keys: Sequence[str]) -> None:
    """Replace or add rows by their key; of two rows with one key the last counts."""
    last = dict(zip(map(itemgetter(*keys), rows), rows, strict=True))
    write_together(warehouse, [Writing(table, list(last.values()), tuple(keys))])


def append(warehouse: Warehouse, table: str, rows: Sequence[Row]) -> None:
    """Add rows."""
    write_together(warehouse, [Writing(table, rows)])


def write_together(warehouse: Warehouse, writings: Sequence[Writing]) -> None:
    """Do several writings, or none of them, in their order."""
    steps, relations = _writing(warehouse, writings)
    if steps:
        warehouse.transact(steps, relations)


def _writing(warehouse: Warehouse, writings: Sequence[Writing]) -> tuple[list[Step], dict[str, pa.Table]]:
    """Return the statements of several writings, and the relations they name."""
    steps: list[Step] = []
    relations = {}
    for number, writing in enumerate(writing for writing in writings if writing.rows):
        name, new = writing.table.split(".")[-1], f"new_rows_{number}"
        if writing.keys:
            same = " and ".join(f"{name}.{key} = new.{key}" for key in writing.keys)
            steps.append(f"delete from {writing.table} using incoming.{new} as new where {same}")
        columns = columns_of(warehouse, writing.table)
        relations[new] = typed(writing.table, columns, writing.rows)
        steps.append(
            f"insert into {writing.table} ({', '.join(columns)}) select {selected(columns)} from incoming.{new}"
        )
    return steps, relations


class _Merge:
    """The SQL of one raw load. ``incoming.loaded`` holds its rows, ``incoming.replaced`` what they will replace."""

    def __init__(self, target: str, columns: Mapping[str, str], is_live: bool = False):
        self.target = target
        self.is_live = is_live
        self.table = RAW[target]
        self.columns = columns
        self.flags = ("is_deleted",) if "is_deleted" in columns else ()

    @property
    def winners(self) -> str:
        """The loaded rows that are later than what is stored, one a key.

        A final version wins, else the later one, NULL being the earliest. Where no clock decides, deleted
        beats alive and then the hash decides, so that the order of loads never matters. What is live beats
        what is stored unless that was edited later: an answer that is there no more has no clock. A table
        without versions takes what came last.
        """
        key = ", ".join(self.table.key)
        clocks = self.table.version[:1] if self.is_live else self.table.version
        versions = [f"{column} desc nulls last" for column in clocks]
        flags = [f"{flag} desc" for flag in self.flags]
        ties = ["row_no desc"] if self.is_live or not versions else [*flags, "row_hash desc", "row_no"]
        order = ["is_final desc", *versions, *ties] if versions else ties
        is_final = f"case when {self.table.final} then 1 else 0 end as is_final"
        narrow = ", ".join((*self.table.key, *self.table.version, *self.flags, "row_hash", is_final))
        return (
            f"select {selected(self.columns)} from incoming.loaded where row_no in (select row_no from ("
            f"select {narrow}, row_no from incoming.loaded"
            f" union all select {narrow}, -1 as row_no from {self.target} as old"
            f" where exists (select 1 from incoming.loaded as new where {self._same('old', 'new')})) as versions"
            f" qualify row_number() over (partition by {key} order by {', '.join(order)}) = 1)"
        )

    @property
    def statement(self) -> str:
        names = list(self.columns)
        kept = (*self.table.key, "first_seen_at")
        compared = (*self.table.version, *self.flags, "row_hash")
        new = {name: f"src.{name}" for name in names if name not in kept}
        new |= {name: f"coalesce(src.{name}, tgt.{name})" for name in self.table.lasting}
        return (
            f"merge into {self.target} as tgt using ({self.winners}) as src on {self._same('tgt', 'src')}"
            f" when matched and ({' or '.join(f'tgt.{name} is distinct from src.{name}' for name in compared)})"
            f" then update set {', '.join(f'{name} = {value}' for name, value in new.items())}"
            f" when not matched then insert ({', '.join(names)}) values ({', '.join(f'src.{name}' for name in names)})"
        )

    def _same(self, one: str, other: str) -> str:
        return " and ".join(f"{one}.{column} = {other}.{column}" for column in self.table.key)

    @property
    def incoming(self) -> dict[str, str]:
        """What is read before the transaction, because the MERGE has to be its first write."""
        if not self.table.kept:
            return {}
        old = ", ".join(f"old.{column}" for column in (*self.table.key, *self.table.kept))
        return {
            "replaced": f"select {old}, old.changed_at as valid_from from {self.target} as old"
            f" join ({self.winners}) as src on {self._same('old', 'src')} where old.row_hash <> src.row_hash"
        }

    @property
    def alive_steps(self) -> list[Step]:
        """Forget that what is live was missed, or said to be deleted."""
        if not (self.is_live and self.table.tombstone):
            return []
        met = f"row_key in (select {self.table.row_key} from incoming.loaded where not is_deleted)"
        return [
            (f"delete from staging.gone where target = ? and {met}", (self.target,)),
            (
                f"delete from ops.tombstones where subject = ? and reason = 'deleted' and {met}",
                (self.table.tombstone,),
            ),
        ]

    def lacking_steps(self, now: datetime, run: Run) -> list[Step]:
        """Add what a version that came too late still knows and the stored one does not."""
        if not (lasting := self.table.lasting):
            return []
        name, key = self.target.split(".")[-1], ", ".join(self.table.key)
        known = ", ".join(f"min({column}) as {column}" for column in lasting)
        added = ", ".join(f"{column} = coalesce({name}.{column}, new.{column})" for column in lasting)
        lacks = " or ".join(f"{name}.{column} is null and new.{column} is not null" for column in lasting)
        update = (
            f"update {self.target} set {added}, changed_at = ?, run_id = ?"
            f" from (select {key}, {known} from incoming.loaded group by {key}) as new"
            f" where {self._same(name, 'new')} and not {name}.is_deleted and ({lacks})"
        )
        return [(update, (now, run.run_id))]

    def history_steps(self, now: datetime, run: Run) -> list[Step]:
        if not self.table.kept:
            return []
        names = ", ".join((*self.table.key, *self.table.kept, "valid_from"))
        insert = f"insert into {self.target}_history ({names}, valid_to, run_id)"
        return [(f"{insert} select {names}, ?, ? from incoming.replaced", (now, run.run_id))]
