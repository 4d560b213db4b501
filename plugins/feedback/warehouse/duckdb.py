"""The embedded warehouse: one DuckDB file, safe with several processes at once.

A process holds the file only for the length of a call, under a lock of ours: DuckDB itself refuses a
second process, and waiting on a lock is fair where retrying starves.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.warehouse.base import Step

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

NATIVE = {"variant": "json", "timestamp_ntz": "timestamp", "create transient table": "create table"}
PATTERN = re.compile(r"\b(" + "|".join(NATIVE) + r")\b", re.IGNORECASE)


def native(sql: str) -> str:
    """Return the statement in DuckDB's words."""
    return PATTERN.sub(lambda word: NATIVE[word.group().lower()], sql)


class DuckDBWarehouse:
    """A warehouse in one file."""

    engine = "duckdb"

    def __init__(self, path: Path, ddl: Path):
        self.path = Path(path)
        self.ddl = Path(ddl)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection = duckdb.connect(str(self.path))
            try:
                connection.execute("set timezone = 'UTC'")
                connection.execute("create or replace temp macro parse_json(x) as x::json")
                yield connection
            finally:
                connection.close()

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self._connected() as connection:
            found = connection.execute(native(sql), list(params))
            names = [column[0].lower() for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def arrow(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        with self._connected() as connection:
            return connection.execute(native(sql), list(params)).to_arrow_table()

    def transact(self, steps: Sequence[Step], incoming: Mapping[str, pa.Table | str] | None = None) -> None:
        with self._connected() as connection:
            for name, relation in (incoming or {}).items():
                if isinstance(relation, str):
                    connection.execute(f"create temp table _incoming_{name} as {native(relation)}")
                else:
                    connection.register(f"_incoming_{name}", relation)
            connection.begin()
            try:
                for step in steps:
                    sql, params = (step, ()) if isinstance(step, str) else step
                    connection.execute(re.sub(r"\bincoming\.(\w+)", r"_incoming_\1", native(sql)), list(params))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def migrate(self) -> list[str]:
        done = []
        for file in sorted(self.ddl.glob("*.sql")):
            with self._connected() as connection:
                connection.execute(native(file.read_text()))
            done.append(file.name)
        return done

    def backup(self, to: Path) -> Path:
        raise NotImplementedError
