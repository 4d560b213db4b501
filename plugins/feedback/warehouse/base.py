"""The port to a warehouse: read, write in one transaction, move the schema forward, copy.

Two adapters speak it. SQL handed to it is Snowflake's dialect inside what DuckDB understands too
(docs/decisions): ``?`` for values, ``variant`` for JSON, ``timestamp_ntz``, ``parse_json``; rows come in
as ``incoming.<name>`` relations, never as literals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Step = str | tuple[str, Sequence[Any]]
"""One statement, alone or with the values of its ``?``."""
Relation: TypeAlias = "pa.Table | Step"
"""Rows of ours, or a query whose result is taken before the transaction begins and never leaves the warehouse."""


def apart(step: Step) -> tuple[str, Sequence[Any]]:
    """Return a statement and its values."""
    return (step, ()) if isinstance(step, str) else step


class Warehouse(Protocol):
    """What the rest of the package asks of a warehouse."""

    engine: str

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return what a query finds, a dict a row, keys in lower case. JSON columns come as text."""

    def arrow(self, sql: str, params: Sequence[Any] = (), incoming: Mapping[str, Relation] | None = None) -> pa.Table:
        """Return what a query finds as an Arrow table, column names in lower case.

        :param incoming: see ``transact``.
        """

    def transact(self, steps: Sequence[Step], incoming: Mapping[str, Relation] | None = None) -> None:
        """Run the steps in one transaction: all of them or none.

        :param incoming: relations the steps may name as ``incoming.<name>``; a query may name those before it.
        """

    def migrate(self) -> list[str]:
        """Move the schema forward to this commit's; return the names of what was applied, mostly none."""

    def backup(self, to: Path) -> Path:
        """Copy the warehouse to a file while nobody writes, and return it."""

    def compact(self) -> None:
        """Leave nothing of deleted rows in what is stored, as far as the engine lets us."""
