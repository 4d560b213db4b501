"""The production warehouse: one database of a Snowflake account, through Airflow's own connection.

Snowflake commits at every DDL statement, so whatever needs a table of its own makes it before the
transaction, under a name that nobody else can have, and drops it after.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback.errors import (
    ConnectionMissing,
    CredentialRefused,
    ServiceUnreachable,
    WarehouseBusy,
    WarehouseError,
)
from feedback.warehouse.base import Relation, Step, apart
from feedback.warehouse.migrate import migrate
from feedback.warehouse.sql_text import format_style

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import ResultMetadata, SnowflakeCursor

LOCKED_BY_ANOTHER = 625
IN_UTC = {"TIMEZONE": "UTC"}
"""An account's clock is in California until told otherwise, and our timestamps have no zone."""

# Tables of ours for one transaction, whose session was killed before it could drop them.
LEFT_BEHIND = """
    select lower(table_name) as name from information_schema.tables
    where lower(table_schema) = 'staging' and startswith(lower(table_name), 'incoming_')
        and created < dateadd(day, -1, current_timestamp())
"""

_sessions = threading.local()
"""Open sessions of this thread: a login costs a second, and a transaction belongs to one thread."""


class SnowflakeWarehouse:
    """A warehouse in one database, which holds nothing but ours.

    :param ddl: folder of the numbered DDL files; the folder of the views lies beside it.
    """

    engine = "snowflake"

    def __init__(self, conn_id: str, database: str, ddl: Path):
        self.conn_id = conn_id
        self.database = database
        self.ddl = Path(ddl)

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self._session() as session:
            found = _execute(session.cursor(), sql, params)
            names = [column.name.lower() for column in found.description]
            return [dict(zip(names, map(_plain, row), strict=True)) for row in found.fetchall()]

    def arrow(self, sql: str, params: Sequence[Any] = (), incoming: Mapping[str, Relation] | None = None) -> pa.Table:
        with self._session() as session, _received(session.cursor(), incoming) as named:
            found = _execute(session.cursor(), named(sql), params)
            return _typed(found.description, found.fetchall())

    def transact(self, steps: Sequence[Step], incoming: Mapping[str, Relation] | None = None) -> None:
        with self._session() as session, _received(session.cursor(), incoming) as named:
            cursor = session.cursor()
            with _transaction(session):
                for sql, params in map(apart, steps):
                    _execute(cursor, named(sql), params)

    def migrate(self) -> list[str]:
        applied = migrate(self, self.ddl, f"the Snowflake database {self.database}")
        for table in self.rows(LEFT_BEHIND):
            self.transact([f"drop table if exists staging.{table['name']}"])
        return applied

    def backup(self, to: Path) -> Path:
        raise WarehouseError(
            f"a Snowflake database is not copied to {to}: Time Travel keeps its past, and a copy is made there by"
            f" `create database {self.database}_backup clone {self.database}`"
        )

    def compact(self) -> None:
        """Nothing to do: Time Travel and Fail-safe keep what is deleted, as docs/privacy.md says."""

    def close(self) -> None:
        """End this thread's session."""
        session = vars(_sessions).pop(self._key, None)
        if session is not None:
            session.close()

    @property
    def _key(self) -> str:
        return f"{os.getpid()} {self.conn_id} {self.database}"

    @contextlib.contextmanager
    def _session(self) -> Iterator[SnowflakeConnection]:
        """Lend this thread's session; after anything but a refused statement the next one is a new one."""
        session = vars(_sessions).get(self._key)
        if session is None or session.is_closed():
            session = vars(_sessions)[self._key] = self._connect()
        try:
            yield session
        except WarehouseError:
            raise
        except BaseException:
            self.close()
            raise

    def _connect(self) -> SnowflakeConnection:
        from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook
        from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException
        from snowflake.connector import errors

        where = f"connection {self.conn_id}"
        try:
            own = SnowflakeHook.get_connection(self.conn_id).extra_dejson.get("session_parameters") or {}
            session = SnowflakeHook(
                snowflake_conn_id=self.conn_id, database=self.database, session_parameters={**own, **IN_UTC}
            ).get_conn()
        except AirflowNotFoundException:
            raise ConnectionMissing(f"{where} is missing: add it as the Snowflake provider documents") from None
        except (AirflowException, errors.ProgrammingError, ValueError, TypeError, KeyError) as error:
            raise ConnectionMissing(
                f"{where} is incomplete ({type(error).__name__}): correct account and key"
            ) from None
        except (errors.OperationalError, errors.HttpError) as error:
            raise ServiceUnreachable(
                f"{where}: Snowflake did not answer ({error.errno}): check account and network"
            ) from None
        except errors.Error as error:
            raise CredentialRefused(
                f"{where} was refused by Snowflake ({error.errno}): correct user, role or key"
            ) from None
        if session.database is None:
            session.close()
            raise WarehouseError(
                f"{where} sees no database {self.database}: create it and grant it to the role,"
                " or let FEEDBACK_SNOWFLAKE_DATABASE name another"
            )
        return session


@contextlib.contextmanager
def _received(cursor: SnowflakeCursor, incoming: Mapping[str, Relation] | None) -> Iterator[Callable[[str], str]]:
    """Put the relations that come in into tables of their own for a while; lend what names them in a statement."""
    suffix = uuid.uuid4().hex
    names = {name: f"staging.incoming_{name}_{suffix}" for name in incoming or {}}

    def named(sql: str) -> str:
        return re.sub(r"\bincoming\.(\w+)", lambda word: names[word[1]], sql)

    with contextlib.ExitStack() as stack:
        for name, relation in (incoming or {}).items():
            stack.callback(_execute, cursor, f"drop table if exists {names[name]}")
            if isinstance(relation, (str, tuple)):
                sql, params = apart(relation)
                _execute(cursor, f"create or replace transient table {names[name]} as {named(sql)}", params)
            else:
                _upload(cursor, names[name], relation)
        yield named


@contextlib.contextmanager
def _transaction(session: SnowflakeConnection) -> Iterator[None]:
    from snowflake.connector import errors

    session.autocommit(False)
    try:
        yield
        _execute(session.cursor(), "commit")
    except BaseException:
        with contextlib.suppress(errors.Error):  # a session that broke off is rolled back by Snowflake
            session.rollback()
            session.autocommit(True)
        raise
    session.autocommit(True)


def _execute(cursor: SnowflakeCursor, sql: str, params: Sequence[Any] = ()) -> SnowflakeCursor:
    from snowflake.connector import errors

    try:
        return cursor.execute(format_style(sql), tuple(params)) if params else cursor.execute(sql)
    except (errors.OperationalError, errors.HttpError, errors.InterfaceError) as error:
        raise ServiceUnreachable(f"Snowflake broke off ({error.errno}): try again") from None
    except errors.Error as error:
        # Its message may repeat values; errno and query id lead to it in Snowflake's query history.
        words = " ".join(sql.split()[:3])
        kind = WarehouseBusy if error.errno == LOCKED_BY_ANOTHER else WarehouseError
        raise kind(f"Snowflake refused `{words} …`: error {error.errno}, query {error.sfqid}") from None


def _upload(cursor: SnowflakeCursor, table: str, rows: pa.Table) -> None:
    """Put rows into a new transient table, through a Parquet file on the table's own stage."""
    import pyarrow.parquet as pq

    schema, name = table.split(".")
    columns = ", ".join(f"{field.name} {_column_type(field.type)}" for field in rows.schema)
    _execute(cursor, f"create or replace transient table {table} ({columns})")
    with tempfile.TemporaryDirectory(prefix="feedback-") as folder:
        file = Path(folder) / "rows.parquet"
        pq.write_table(rows, file)
        _execute(cursor, f"put 'file://{file}' @{schema}.%{name} auto_compress=false")
    _execute(
        cursor,
        f"copy into {table} from @{schema}.%{name} file_format=(type=parquet use_logical_type=true)"
        " match_by_column_name=case_insensitive",
    )


def _column_type(arrow_type: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(arrow_type):
        return "boolean"
    if pa.types.is_integer(arrow_type):
        return "number(38, 0)"
    if pa.types.is_floating(arrow_type):
        return "double"
    return "timestamp_ntz" if pa.types.is_timestamp(arrow_type) else "varchar"


def _plain(value: Any) -> Any:
    """Return a decimal as a float, as DuckDB gives it: an average of whole numbers is a decimal here."""
    return float(value) if isinstance(value, Decimal) else value


def _typed(columns: Sequence[ResultMetadata], found: Sequence[Sequence[Any]]) -> pa.Table:
    """Return rows as Arrow in the types that DuckDB would give them."""
    import pyarrow as pa
    from snowflake.connector.constants import FIELD_ID_TO_NAME

    kinds = {"BOOLEAN": pa.bool_(), "REAL": pa.float64(), "DATE": pa.date32(), "TIMESTAMP_NTZ": pa.timestamp("us")}
    arrays = {}
    for number, column in enumerate(columns):
        name = FIELD_ID_TO_NAME[column.type_code]
        values = [row[number] for row in found]
        if name == "FIXED" and column.scale:  # decimals
            arrays[column.name.lower()] = pa.array([None if v is None else float(v) for v in values], pa.float64())
        else:
            arrays[column.name.lower()] = pa.array(
                values, pa.int64() if name == "FIXED" else kinds.get(name, pa.string())
            )
    return pa.table(arrays)
