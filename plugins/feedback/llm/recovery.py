"""What killed tasks have left in their journals, brought into the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from feedback.llm.journal import left_behind
from feedback.llm.ledger_rows import Kept, Row, kept, writings
from feedback.model import Run
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import write_together


def recover(warehouse: Warehouse, run: Run, journal: Path) -> int:
    """Write what killed tasks have left in their journals; return how many answers that saves.

    Calls of theirs that nobody saw end are lost: they count as held. So are those of an earlier attempt at this
    task that were written before they ended.
    """
    with left_behind(journal) as lines:
        calls: dict[str, Row] = {}
        answers: dict[str, Kept] = {}
        for line in map(_timed, lines):
            if call := line.get("call"):
                is_new = call["call_id"] not in calls
                if is_new or call["status"] != "intent":
                    calls[call["call_id"]] = _timed(call) | ({"status": "lost"} if call["status"] == "intent" else {})
            else:
                answers |= kept(line.pop("answers"), line)
        write_together(warehouse, writings(list(calls.values()), list(answers.values())))
    warehouse.transact(
        [
            (
                "update ops.llm_calls set status = 'lost' where status = 'intent' and mode <> 'batch'"
                " and dag_id = ? and task_id = ? and run_id = ?",
                (run.dag_id, run.task_id, run.run_id),
            )
        ]
    )
    return len(answers)


def _timed(row: Mapping[str, Any]) -> Row:
    """Return a row of a journal with its instants."""
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value else value for name, value in row.items()
    }
