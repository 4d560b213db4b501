"""What the warehouse knows of a source, read before it is extracted, and what is to be kept of it, written after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from feedback.model import Gap, Memory, Run, utc_now
from feedback.sources.base import Past
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import incoming, upsert

MEMORIES = {
    "ops.source_state": ("source", "part"),
    "ops.slack_threads": ("team_id", "channel_id", "thread_ts"),
}
"""The tables in which sources remember, with their keys."""
FIELDS = "source, part, status, reason, detail, row_count, fingerprint"


def recall(warehouse: Warehouse, source: str) -> Past:
    """Return what earlier runs know of a source."""
    loads = warehouse.rows("select load_id from ops.loads where source = ?", (source,))
    gaps = warehouse.rows(f"select {FIELDS} from ops.coverage where source = ?", (source,))
    teams = warehouse.rows("select id, min(team_id) as team_id from raw.slack_channels group by id")
    state = warehouse.rows("select part, state from ops.source_state where source = ?", (source,))
    return Past(
        loads=frozenset(row["load_id"] for row in loads),
        gaps=tuple(Gap(**row) for row in gaps),
        teams={row["id"]: row["team_id"] for row in teams},
        state={row["part"]: json.loads(row["state"]) for row in state},
        rows=warehouse.rows,
    )


def remember(warehouse: Warehouse, memory: Memory, run: Run) -> None:
    """Write what a source wants to know the next time."""
    stamp = {"run_id": run.run_id, "updated_at": utc_now()} if memory.table == "ops.source_state" else {}
    upsert(warehouse, memory.table, [{**row, **stamp} for row in memory.rows], MEMORIES[memory.table])


def cover(warehouse: Warehouse, source: str, gaps: Sequence[Gap], run: Run) -> None:
    """Write what a complete extraction left out; what it met no more is forgotten."""
    known = warehouse.rows("select part, reason, first_run_id from ops.coverage where source = ?", (source,))
    first = {(row["part"], row["reason"]): row["first_run_id"] for row in known}
    last = {(gap.part, gap.reason): gap for gap in gaps}
    rows = [
        {**asdict(gap), "first_run_id": first.get(key, run.run_id), "last_run_id": run.run_id}
        for key, gap in last.items()
    ]
    if not (rows or known):
        return
    table = incoming(warehouse, "ops.coverage", rows)
    insert = f"insert into ops.coverage ({', '.join(table.column_names)}) select * from incoming.gaps"
    warehouse.transact([("delete from ops.coverage where source = ?", (source,)), insert], {"gaps": table})
