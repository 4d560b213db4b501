"""Lending connections to a DuckDB file: the engine stays in memory between calls, the file does not.

Starting an engine takes ten times as long as opening a file, and a task makes dozens of calls.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# DuckDB names a database after its file, and a file `feedback.duckdb` would hide the schema `feedback`.
NAME = "warehouse_file"

MEMORY, THREADS = "512MB", 4
"""What an engine may take of a machine that is not its own; what needs more memory goes to disk."""

_idle: dict[Path, duckdb.DuckDBPyConnection] = {}
"""At most one engine, without a file, waiting for the next call."""


@contextlib.contextmanager
def connected(path: Path, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file and lend a connection to it; whatever was not committed is rolled back.

    The caller holds a lock: DuckDB refuses a file that another process has open.

    :param memory: what the engine may hold before it goes to disk.
    """
    engine = _idle.pop(path, None) or _engine(path)
    try:
        quoted = str(path).replace("'", "''")
        engine.execute(f"attach '{quoted}' as {NAME}")
        engine.execute(f"set memory_limit = '{memory}'")
        with engine.cursor() as connection:
            connection.execute(f"use {NAME}")
            connection.execute("set timezone = 'UTC'")
            connection.execute("create temp macro parse_json(x) as x::json")
            yield connection
        engine.execute(f"detach {NAME}")
    except BaseException:
        engine.close()  # in an unknown state; the next call starts another
        raise
    _forget()
    _idle[path] = engine


def _engine(path: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    config = {"temp_directory": f"{path}.tmp", "threads": min(THREADS, os.cpu_count() or 1)}
    return duckdb.connect(":memory:", config=config)


def _forget() -> None:
    while _idle:
        _idle.popitem()[1].close()


# The engine's threads do not follow into a forked process, where it would wait for them for ever.
os.register_at_fork(before=_forget)
