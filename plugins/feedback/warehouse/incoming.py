"""Rows of ours as Arrow tables in the types of the table they go to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from feedback.errors import WarehouseError
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
Rows = Sequence[Row] | Sequence[tuple[Any, ...]]
"""Rows by the names of their columns; or named tuples of one type, in a third of the memory."""

_known: WeakKeyDictionary[Warehouse, dict[str, dict[str, str]]] = WeakKeyDictionary()
"""Columns by table. Every load, stage and upsert needs them, and only a migration changes them."""


def incoming(warehouse: Warehouse, table: str, rows: Rows) -> pa.Table:
    """Return rows as Arrow in the types of a table: what a row lacks is NULL, what is JSON there is its text.

    :raises WarehouseError: a row has a column that the table has not, or a value it cannot hold.
    """
    return typed(table, columns_of(warehouse, table), rows)


def columns_of(warehouse: Warehouse, table: str) -> dict[str, str]:
    """Return the columns of a table, in order, with the engine's name of their type; asked once a schema version.

    :raises WarehouseError: there is no such table.
    """
    known = _known.setdefault(warehouse, {})
    if table not in known:
        known[table] = _columns(warehouse, table)
    return known[table]


def forget_columns(warehouse: Warehouse) -> None:
    """Ask anew: the schema has moved."""
    _known.pop(warehouse, None)


def _columns(warehouse: Warehouse, table: str) -> dict[str, str]:
    schema, name = table.split(".")
    found = warehouse.rows(
        "select lower(column_name) as name, lower(data_type) as type from information_schema.columns"
        " where lower(table_schema) = ? and lower(table_name) = ? order by ordinal_position",
        (schema, name),
    )
    if not found:
        raise WarehouseError(f"the warehouse has no table {table}: migrate it first")
    return {row["name"]: row["type"] for row in found}


def _is_json(column_type: str) -> bool:
    return column_type in ("json", "variant")


def selected(columns: Mapping[str, str]) -> str:
    """Return the select list that turns incoming rows into rows of the table."""
    return ", ".join(f"parse_json({name}) as {name}" if _is_json(kind) else name for name, kind in columns.items())


def typed(table: str, columns: Mapping[str, str], rows: Rows, shared: Mapping[str, Any] | None = None) -> pa.Table:
    """Return rows as Arrow in the types of columns that are known already; see ``incoming``.

    :param shared: what every row has.
    """
    import pyarrow as pa

    values = _by_column(rows)
    if unknown := set(values) - set(columns):
        raise WarehouseError(
            f"{table} has no column {', '.join(sorted(unknown))}: correct the writer or add a migration"
        )
    shared = shared or {}
    arrays = {}
    for name, kind in columns.items():
        if name in values and name not in shared:
            arrays[name] = _array(f"{table}.{name}", kind, values[name])
        else:
            (value,) = _array(f"{table}.{name}", kind, [shared.get(name)])
            arrays[name] = pa.repeat(value, len(rows))
    return pa.table(arrays)


def _by_column(rows: Rows) -> dict[str, Sequence[Any]]:
    if rows and isinstance(rows[0], tuple):
        return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))  # type: ignore[attr-defined]
    names: set[str] = set().union(*rows)
    if sum(map(len, rows)) == len(names) * len(rows):
        return {name: list(map(itemgetter(name), rows)) for name in names}
    return {name: [row.get(name) for row in rows] for name in names}  # type: ignore[union-attr]


def _array(column: str, kind: str, values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    if _is_json(kind):
        values = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in values]
    types = {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "bigint": pa.int64(),
        "number": pa.int64(),
        "double": pa.float64(),
        "float": pa.float64(),
        "timestamp": pa.timestamp("us"),
        "timestamp_ntz": pa.timestamp("us"),
    }
    wanted = types.get(kind, pa.string())
    try:
        return pa.array(values, wanted)
    except UnicodeEncodeError:
        # Half a surrogate pair, as a text cut in the middle of an emoji leaves it, is no Unicode.
        return pa.array([v and v.encode("utf-8", "replace").decode() for v in values], wanted)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError):
        # The value itself may be a customer's words: name the column only.
        raise WarehouseError(f"{column} ({kind}) cannot hold a value that was written to it") from None
