"""A table or view as the warehouse spells it: found by the names that a person wrote, its columns' types checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback.errors import InputRefused, WarehouseError

OURS = ("raw", "staging", "feedback", "ops", "marts")
"""Schemas of our own: what is read of them would come back as new items, and those again."""
TYPES = {
    "text": re.compile(r"varchar|text|string|char|enum"),
    "time": re.compile(r"timestamp|date"),
    "number": re.compile(r"(\w*int(eger)?|number|decimal|numeric|double|float|real)\b"),
}
"""How the types of the engines begin."""
COLUMNS = """
    select column_name as name, lower(data_type) as type, table_schema as of_schema, table_name as of_table,
        case when lower(table_catalog) = lower(current_database()) then 1 else 0 end as is_here
    from {schema}.columns
    where lower(table_schema) = ? and lower(table_name) = ?
        and lower(table_catalog) = lower(coalesce(?, current_database()))
    order by ordinal_position
"""

Rows = Callable[[str, Sequence[Any]], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Wanted:
    """A column that a person named for a purpose.

    :param kind: what its type must be: a key of ``TYPES``, or ``any``.
    """

    purpose: str
    name: str
    kind: str = "any"


def found(rows: Rows, table: str, wanted: Iterable[Wanted]) -> tuple[str, dict[str, str]]:
    """Return a table and, by purpose, its wanted columns, quoted, so that they are names and nothing else.

    :param table: ``schema.table`` or ``database.schema.table``; its case counts only where two differ by nothing else.
    :raises InputRefused: one line that names what is not there or not of its type.
    """
    *database, schema, name = table.split(".")
    columns = _columns(rows, schema, name, database[0] if database else None)
    if not columns:
        raise InputRefused(f"{table} is not there, or may not be read: correct its name, or grant it to our role")
    if schema.lower() in OURS and columns[0]["is_here"]:
        raise InputRefused(f"{table} is a table of our own and cannot be a source")
    spelled = {(row["of_schema"], row["of_table"]) for row in columns}
    home = (schema, name) if (schema, name) in spelled else sorted(spelled)[0]
    if len(spelled) > 1 and home != (schema, name):
        raise InputRefused(f"{table} may mean {len(spelled)} tables: write it exactly as one is spelled")
    types = {row["name"]: row["type"] for row in columns if (row["of_schema"], row["of_table"]) == home}
    place = ".".join((*database, quoted(home[0]), quoted(home[1])))
    return place, {one.purpose: quoted(_checked(types, table, one)) for one in wanted}


def quoted(name: str) -> str:
    """Return an identifier as it stands, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _columns(rows: Rows, schema: str, name: str, database: str | None) -> Sequence[Mapping[str, Any]]:
    """What is known of a table. DuckDB lists every database in one place, Snowflake each in its own."""
    asked = (schema.lower(), name.lower(), database)
    here = rows(COLUMNS.format(schema="information_schema"), asked)
    if here or database is None:
        return here
    try:
        return rows(COLUMNS.format(schema=f"{database}.information_schema"), asked)
    except WarehouseError as error:
        if error.retryable:
            raise
        return ()


def _checked(types: Mapping[str, str], table: str, wanted: Wanted) -> str:
    """The name of a column as the table spells it."""
    alike = [name for name in types if name.lower() == wanted.name.lower()]
    name = wanted.name if wanted.name in alike else next(iter(alike), None)
    if name is None:
        raise InputRefused(f"{table} has no column {wanted.name}: correct {wanted.purpose}=")
    if wanted.kind != "any" and not TYPES[wanted.kind].match(types[name]):
        raise InputRefused(
            f"column {name} of {table} is {types[name].upper()}, no {wanted.kind}:"
            f" name another for {wanted.purpose}=, or cast it in a view and name the view"
        )
    return name
