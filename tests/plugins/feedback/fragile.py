"""A warehouse that dies when a test says so."""

import contextlib
from pathlib import Path

from feedback.errors import WarehouseError
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.duckdb_file import NAME, connected

ROOT = Path(__file__).resolve().parents[3]


class Fragile(DuckDBWarehouse):
    """A warehouse that dies after so many transactions, and the task in front of it too.

    It keeps its file open: opening it some thousand times would be most of what this test does.
    """

    def __init__(self, path, stack):
        super().__init__(path, ROOT / "include/sql/ddl")
        self.left: int | None = None
        self._opened = stack.enter_context(connected(path))

    @contextlib.contextmanager
    def _connected(self):
        with self._opened.cursor() as connection:
            connection.execute(f"use {NAME}")
            connection.execute("create temp macro parse_json(x) as x::json")
            yield connection

    def transact(self, steps, incoming=None):
        if self.left == 0:
            raise WarehouseError("killed")
        self.left = self.left and self.left - 1
        super().transact(steps, incoming)
