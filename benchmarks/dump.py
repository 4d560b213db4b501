"""Every published table of a warehouse file as ordered rows, to hold two runs against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCHEMAS = ("raw", "feedback", "marts")


def published(file: Path) -> dict[str, list[Any]]:
    """Return the rows of each table and view of raw, feedback and marts, ordered."""
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            f"where table_schema in {SCHEMAS} order by 1"
        ).fetchall()
        return {name: connection.execute(f"select * from {name} order by all").fetchall() for (name,) in names}
