"""Moving a schema forward: numbered DDL files once each, then the views, remembered in ops.schema_version.

Nothing is ever dropped but views, which are made again. Every statement of a file can be repeated (``if not
exists``), so a file that gained a table is applied once more; a column that changes needs a file of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from feedback.errors import ForeignSchema, MigrationFailed, WarehouseError
from feedback.model import utc_now
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import forget_columns
from feedback.warehouse.sql_text import statements

SCHEMAS = ("raw", "feedback", "staging", "ops", "marts")
VIEWS = "views"


@dataclass(frozen=True)
class Script:
    """SQL that is applied under its name, once for each checksum."""

    version: int
    name: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        """Hash of what the script does, comments and layout aside."""
        return hashlib.sha256(";\n".join(self.statements).encode()).hexdigest()

    @property
    def steps(self) -> list[Step]:
        """The statements, then the row that remembers them."""
        forget = ("delete from ops.schema_version where name = ?", (self.name,))
        remember = "insert into ops.schema_version (version, name, checksum, applied_at) values (?, ?, ?, ?)"
        return [*self.statements, forget, (remember, (self.version, self.name, self.checksum, utc_now()))]


def migrate(warehouse: Warehouse, ddl: Path, place: str, copy: Callable[[str], Path] | None = None) -> list[str]:
    """Apply what is pending and return its names, mostly none: then it costs one query.

    :param place: how a person knows this warehouse: a file or a database.
    :param copy: makes a copy before the script of that name changes a schema that exists.
    :raises MigrationFailed: the schema is as it was, where the engine can; the line says where the copy is.
    """
    scripts, views = _scripts(ddl), _views(ddl.parent / VIEWS)
    applied = _applied(warehouse, place)
    if applied is None:
        applied, copy = {}, None
    _refuse_newer(applied, scripts, place)
    pending = [script for script in scripts if applied.get(script.name) != script.checksum]
    if not pending and applied.get(VIEWS) == views.checksum:
        return []
    kept = copy(pending[0].name) if copy and pending else None
    try:
        warehouse.transact([step for script in (*pending, views) for step in script.steps])
    except WarehouseError as error:
        where = f"; a copy from before is {kept}" if kept else ""
        names = ", ".join(script.name for script in pending) or VIEWS
        raise MigrationFailed(f"{place} could not be moved forward by {names}: {error}{where}") from None
    finally:
        forget_columns(warehouse)
    return [script.name for script in (*pending, views)]


def _scripts(folder: Path) -> list[Script]:
    return [
        Script(int(file.name.split("_")[0]), file.name, tuple(statements(file.read_text("utf-8"))))
        for file in sorted(folder.glob("*.sql"))
    ]


def _views(folder: Path) -> Script:
    """Return all views as one script, in the order of their file names: any of them may select from an earlier one."""
    made = [one for file in sorted(folder.glob("*.sql")) for one in statements(file.read_text("utf-8"))]
    return Script(0, VIEWS, tuple(made))


def _applied(warehouse: Warehouse, place: str) -> dict[str, str] | None:
    """Return name to checksum of what was applied; ``None`` where we have never been."""
    try:
        rows = warehouse.rows("select name, checksum from ops.schema_version")
    except WarehouseError:
        tables = warehouse.rows(
            "select lower(table_schema) as s, lower(table_name) as t from information_schema.tables"
        )
        if ("ops", "schema_version") in {(row["s"], row["t"]) for row in tables}:
            raise
        schemas = warehouse.rows("select distinct lower(schema_name) as s from information_schema.schemata")
        if foreign := sorted({row["s"] for row in schemas} & set(SCHEMAS)):
            raise ForeignSchema(
                f"{place} has a schema {foreign[0]} without our ops.schema_version, so it is somebody else's:"
                " let FEEDBACK_SNOWFLAKE_DATABASE or FEEDBACK_DUCKDB_PATH name a place of our own"
            ) from None
        return None
    return {row["name"]: row["checksum"] for row in rows}


def _refuse_newer(applied: dict[str, str], scripts: list[Script], place: str) -> None:
    if unknown := sorted(set(applied) - {script.name for script in scripts} - {VIEWS}):
        raise WarehouseError(f"{place} is newer than this code, which has no {unknown[-1]}: update the code")
