"""An erasure in the warehouse: one transaction that takes out what was reached and leaves tombstones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from feedback.erasure.answers import ITEMS
from feedback.erasure.reach import MARKED, Reach, unmark
from feedback.erasure.repeated import CHANNELS, HISTORY
from feedback.erasure.scope import MESSAGES, REVIEWS, SLACK, TEXTS, Scope
from feedback.errors import SettingError
from feedback.model import Run, utc_now
from feedback.resolution.register import mint
from feedback.sources.authors import salt_mark
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.merge import RAW

if TYPE_CHECKING:
    import pyarrow as pa

BLANK = {
    MESSAGES: f"""
        update raw.slack_messages set
            user_id = null, text = null, payload = parse_json('{{}}'), edited_at = coalesce(?, edited_at),
            is_deleted = true, row_hash = ?, changed_at = ?, run_id = ?
        where {RAW[MESSAGES].row_key} in ({MARKED})
    """,
    REVIEWS: f"""
        update raw.app_reviews set
            rating = null, title = null, body = null, author = null, language = null, territory = null,
            app_version = null, reply_text = null, payload = parse_json('{{}}'), updated_at = coalesce(?, updated_at),
            is_deleted = true, row_hash = ?, changed_at = ?, run_id = ?
        where {RAW[REVIEWS].row_key} in ({MARKED})
    """,
    TEXTS: f"""
        update raw.texts set
            title = null, body = null, author = null, url = null, rating = null, language = null, territory = null,
            app_version = null, payload = null, updated_at = coalesce(?, updated_at),
            is_deleted = true, row_hash = ?, changed_at = ?, run_id = ?
        where {RAW[TEXTS].row_key} in ({MARKED})
    """,
}
"""Take everything from raw rows but their keys and instants."""
NO_NAME = "[erased]"
"""The name of an entity that nobody else has named; its id stays, as every id once published."""


def erase(warehouse: Warehouse, scope: Scope, found: Reach, run: Run, salt: bytes | None = None) -> None:
    """Do what was found, all of it or nothing.

    :param salt: by which the scope's author is remembered, of whom nothing more is loaded.
    """
    now = utc_now()
    steps: list[Step] = [
        *((f"delete from {table} where item_id in ({ITEMS})", (run.run_id,)) for table in found.about),
        "delete from ops.llm_answers where answer_key in (select answer_key from incoming.answers)",
        *_names(),
        *(["delete from ops.reports"] if found.items else []),
        *_posts(),
        *_others(run, now),
        *(step for target in scope.rows for step in _own(target, scope, run, now)),
        *_author(scope, run, now, salt),
        unmark(run),
    ]
    warehouse.transact(steps, _relations(found))


def _posts() -> Iterator[Step]:
    """A digest that nobody has seen is written anew; one that may be in Slack is owed there as what is left of it."""
    yield (
        "delete from ops.posts where post_key in (select post_key from incoming.posts)"
        " and status = 'planned' and ts is null"
    )
    yield (
        "update ops.posts set body = parse_json(new.body),"
        " status = case when status = 'posted' and new.body is not null then 'planned' else status end"
        " from incoming.posts as new where new.post_key = posts.post_key"
    )


def _own(target: str, scope: Scope, run: Run, now: datetime) -> Iterator[Step]:
    """Blank the rows and forget their earlier versions. What has expired gives way to a version of later than now."""
    key, kind, marked = RAW[target].row_key, RAW[target].tombstone, (run.run_id, target)
    mark, version = ("erased", None) if scope.reason == "erased" else ("expired", now)
    yield f"delete from {target}_history where {key} in ({MARKED})", marked
    yield BLANK[target], (version, mark, now, run.run_id, *marked)
    yield f"delete from ops.tombstones where subject = ? and row_key in ({MARKED})", (kind, *marked)
    yield (
        "insert into ops.tombstones (subject, row_key, reason, run_id, created_at)"
        f" select ?, row_key, ?, ?, ? from ({MARKED}) as marked",
        (kind, scope.reason, run.run_id, now, *marked),
    )


def _others(run: Run, now: datetime) -> Iterator[Step]:
    """Take the words out of what others wrote; an earlier version that repeats them goes whole."""
    for name, table in (("messages", MESSAGES), ("channels", CHANNELS)):
        yield (
            f"update {table} set payload = parse_json(new.payload), changed_at = ?, run_id = ?"
            f" from incoming.{name} as new where new.row_key = {_qualified(table)}",
            (now, run.run_id),
        )
    yield (
        f"delete from {HISTORY} where exists (select 1 from incoming.versions as old"
        f" where old.row_key = {_qualified(HISTORY)} and old.valid_from = slack_messages_history.valid_from)"
    )


def _qualified(table: str) -> str:
    name = table.split(".")[1]
    return " || '|' || ".join(f"{name}.{column}" for column in RAW[table.removesuffix("_history")].key)


def _names() -> Iterator[Step]:
    """Forget the names that only these words brought: decisions, events, and how their entities are written."""
    founded = "entity_id in (select entity_id from incoming.names)"
    noted = (
        "select 1 from incoming.names as gone join feedback.entities as entities on entities.kind = gone.kind"
        " where entities.entity_id = entity_events.entity_id and gone.norm = entity_events.norm"
    )
    for schema in ("staging", "feedback"):
        yield f"delete from {schema}.entity_names where exists ({_same_name('entity_names', 'norm')})"
    yield f"delete from ops.case_names where exists ({_same_name('case_names', 'norm')})"
    for schema in ("staging", "ops"):
        yield f"delete from {schema}.entity_events where {founded}"
        yield f"delete from {schema}.entity_events where exists ({noted})"
        for column in ("norm", "candidate"):
            yield f"delete from {schema}.entity_decisions where exists ({_same_name('entity_decisions', column)})"
    yield f"delete from staging.entities where {founded}"
    yield f"update feedback.entities set canonical_name = ? where {founded}", (NO_NAME,)
    yield (
        "update feedback.entities set canonical_name = kept.norm"
        " from (select entity_id, min(norm) as norm from feedback.entity_names group by entity_id) as kept"
        " where kept.entity_id = entities.entity_id and entities.canonical_name = ?",
        (NO_NAME,),
    )


def _same_name(table: str, column: str) -> str:
    return f"select 1 from incoming.names as gone where gone.kind = {table}.kind and gone.norm = {table}.{column}"


def _author(scope: Scope, run: Run, now: datetime, salt: bytes | None) -> Iterator[Step]:
    if scope.author is None:
        return
    if salt is None:
        raise SettingError("without a salt an erased author cannot be kept out: pass it salt=")
    if scope.author.source == SLACK:
        yield "delete from raw.slack_users where id = ?", (scope.author.name,)
    for subject, key in (("author", scope.author.tombstone(salt)), ("salt", salt_mark(salt))):
        yield "delete from ops.tombstones where subject = ? and row_key = ?", (subject, key)
        yield (
            "insert into ops.tombstones (subject, row_key, reason, run_id, created_at) select ?, ?, 'erased', ?, ?",
            (subject, key, run.run_id, now),
        )


def _relations(found: Reach) -> dict[str, pa.Table]:
    import pyarrow as pa

    repeated, instant = found.repeated, pa.timestamp("us")
    payloads = {
        name: _table([(row["row_key"], row["payload"]) for row in repeated[table]], row_key=None, payload=None)
        for name, table in (("messages", MESSAGES), ("channels", CHANNELS))
    }
    versions = [(row["row_key"], row["valid_from"]) for row in repeated[HISTORY]]
    names = [(*name, mint(*name)) for name in sorted(found.names)]
    return {
        **payloads,
        "versions": _table(versions, row_key=None, valid_from=instant),
        "answers": _table([(key,) for key in sorted(found.answers)], answer_key=None),
        "names": _table(names, kind=None, norm=None, entity_id=None),
        "posts": _table(sorted(found.posts.items()), post_key=None, body=None),
    }


def _table(rows: Sequence[Sequence[Any]], **types: pa.DataType | None) -> pa.Table:
    """Return rows as Arrow, each column a string where no type is given."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    arrays = (pa.array(list(column), of or pa.string()) for column, of in zip(columns, types.values(), strict=True))
    return pa.table(dict(zip(types, arrays, strict=True)))
