"""The embedded warehouse: one DuckDB file, safe with several processes at once.

A process holds the file only for the length of a call, under a lock of ours, because DuckDB lets no second
process in. Whoever is killed inside a call leaves the file as it was before it.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import WarehouseBusy, WarehouseError, WarehouseFull
from feedback.model import utc_now
from feedback.warehouse.base import Relation, Step, apart
from feedback.warehouse.duckdb_file import MEMORY, NAME, connected
from feedback.warehouse.lock import StillHeldError, held
from feedback.warehouse.migrate import migrate

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

VARIABLE = "FEEDBACK_HOME or FEEDBACK_DUCKDB_PATH"
NATIVE = (
    (r"\bvariant\b", "json"),
    (r"\btimestamp_ntz\b", "timestamp"),
    (r"\bcreate transient table\b", "create table"),
    (r"\) within group \((order by [^()]+)\)", r" \1)"),
    (r"\bincoming\.(\w+)", r"_incoming_\1"),
)
NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded")


def native(sql: str) -> str:
    """Return the statement in DuckDB's words."""
    for pattern, word in NATIVE:
        sql = re.sub(pattern, word, sql)
    return sql


class DuckDBWarehouse:
    """A warehouse in one file.

    :param ddl: folder of the numbered DDL files; the folder of the views lies beside it.
    :param patience: how many seconds a call waits for other processes.
    :param memory: what DuckDB may hold before it goes to disk.
    """

    engine = "duckdb"

    def __init__(self, path: Path, ddl: Path, patience: float = 120.0, memory: str = MEMORY):
        self.path = Path(path)
        self.ddl = Path(ddl)
        self.patience = patience
        self.memory = memory
        self._holder: int | None = None

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self._connected() as connection:
            found = connection.execute(native(sql), list(params))
            names = [column[0].lower() for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def arrow(self, sql: str, params: Sequence[Any] = (), incoming: Mapping[str, Relation] | None = None) -> pa.Table:
        with self._connected() as connection:
            _receive(connection, incoming)
            found = connection.sql(native(sql), params=list(params)).to_arrow_table()
            return found.rename_columns([name.lower() for name in found.column_names])

    def transact(self, steps: Sequence[Step], incoming: Mapping[str, Relation] | None = None) -> None:
        with self._connected() as connection:
            _receive(connection, incoming)
            connection.begin()
            for sql, params in map(apart, steps):
                connection.execute(native(sql), list(params))
            connection.commit()  # what was not committed is rolled back by closing

    def migrate(self) -> list[str]:
        with self._held():
            return migrate(self, self.ddl, str(self.path), self._copy_before)

    def backup(self, to: Path) -> Path:
        if to.exists():
            raise WarehouseError(f"{to} exists already: name a file that does not, no copy was made")
        with self._held():
            with self._connected() as connection:
                connection.execute("checkpoint")  # what is in the write-ahead log is not in the file yet
            try:
                _copy(self.path, to)
            except OSError as error:
                kind = WarehouseFull if error.strerror in NO_ROOM else WarehouseError
                raise kind(f"{to} could not be written ({error.strerror}): no copy of {self.path} was made") from None
        return to

    def compact(self) -> None:
        """Write the file anew: the old one keeps the words of deleted rows in blocks that nobody reads."""
        part = self.path.with_name(f"{self.path.name}.part")
        with self._held():
            part.unlink(missing_ok=True)
            with self._connected() as connection:
                quoted = str(part).replace("'", "''")
                connection.execute(f"attach '{quoted}' as compacted")
                connection.execute(f"copy from database {NAME} to compacted")
                connection.execute("detach compacted")
            shutil.copymode(self.path, part)
            part.replace(self.path)

    def _copy_before(self, migration: str) -> Path:
        """Copy the file next to itself, so that a migration can be undone."""
        number = migration.split("_")[0]
        return self.backup(self.path.with_name(f"{self.path.name}.before-{number}-{utc_now():%Y%m%dT%H%M%S%f}"))

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the lock; a thread that holds it already goes on."""
        if self._holder == threading.get_ident():
            yield
            return
        with contextlib.ExitStack() as stack:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(held(self.path.with_name(self.path.name + ".lock"), self.patience))
            except StillHeldError as error:
                raise WarehouseBusy(_busy(self.path, error.pid, f"for {self.patience:g} s")) from None
            except OSError as error:
                if error.strerror in NO_ROOM:
                    raise WarehouseFull(_full(self.path)) from None
                raise WarehouseError(f"{self.path} cannot be written ({error.strerror}): correct {VARIABLE}") from None
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        with self._held():
            try:
                with connected(self.path, self.memory) as connection:
                    yield connection
            except duckdb.Error as error:
                raise _refusal(self.path, error) from None


def _receive(connection: duckdb.DuckDBPyConnection, incoming: Mapping[str, Relation] | None) -> None:
    """Give a connection the relations that come in."""
    for name, relation in (incoming or {}).items():
        if isinstance(relation, (str, tuple)):
            sql, params = apart(relation)
            connection.execute(f"create temp table _incoming_{name} as {native(sql)}", list(params))
        else:
            connection.register(f"_incoming_{name}", relation)


def _copy(source: Path, to: Path) -> None:
    """Copy a file so that its new name appears only when it is complete."""
    part = to.with_name(to.name + ".part")
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, part)
        part.rename(to)
    finally:
        part.unlink(missing_ok=True)


def _busy(path: Path, pid: int | None, how_long: str) -> str:
    return f"{path} is held by {f'process {pid}' if pid else 'another process'} {how_long}: wait for it or end it"


def _full(path: Path) -> str:
    return f"no room left on the device of {path}: free some or correct {VARIABLE}; nothing was written"


def _refusal(path: Path, error: duckdb.Error) -> WarehouseError:
    """Say what DuckDB refused; of its own words only those about names and structure, as others repeat values."""
    import duckdb

    said = str(error)
    if any(phrase in said for phrase in NO_ROOM):
        return WarehouseFull(_full(path))
    if "Could not set lock" in said:
        pid = re.search(r"PID (\d+)", said)
        return WarehouseBusy(_busy(path, int(pid[1]) if pid else None, "outside our lock"))
    if isinstance(error, (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException)):
        return WarehouseError(
            f"{path} cannot be used as a DuckDB file ({type(error).__name__}):"
            f" put a copy in its place, or let {VARIABLE} name another file"
        )
    harmless = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException, duckdb.ConstraintException)
    detail = said.splitlines()[0] if isinstance(error, harmless) else type(error).__name__
    return WarehouseError(f"{path} refused a statement: {detail}")
