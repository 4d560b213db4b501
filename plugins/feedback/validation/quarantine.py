"""Moves what a gate set aside into ``ops.quarantine``, where it waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse

KEY = ("subject", "row_key", "rule", "content_hash", "prompt_version")


def set_aside(warehouse: Warehouse, subject: Subject, run_id: str) -> list[dict[str, Any]]:
    """Return rows of ``ops.quarantine`` for what this run set aside, keeping who first did."""
    same = " and ".join(f"q.{column} = r.{column}" for column in KEY)
    return warehouse.rows(
        "select r.subject, r.row_key, r.rule, r.content_hash, r.prompt_version, r.item_id, r.severity, r.reason,"
        " 'open' as status, coalesce(q.first_run_id, r.run_id) as first_run_id, r.run_id as last_run_id"
        f" from staging.rejects as r left join ops.quarantine as q on {same} where r.run_id = ? and r.subject = ?",
        (run_id, subject.name),
    )


def steps(subject: Subject, run_id: str, columns: Sequence[str]) -> list[Step]:
    """Return the statements that write ``incoming.quarantine`` and release what has passed since.

    An item in ``incoming.published`` is out of quarantine: its newer row kept every rule. What a person wanted
    asked again has been, whatever came of it.
    """
    names = ", ".join(columns)
    same = " and ".join(f"new.{column} = quarantine.{column}" for column in KEY)
    return [
        f"delete from ops.quarantine where exists (select 1 from incoming.quarantine as new where {same})",
        (
            "update ops.quarantine set status = 'released', last_run_id = ? where subject = ? and status = 'ask_again'"
            " and item_id in (select item_id from incoming.quarantine)",
            (run_id, subject.name),
        ),
        f"insert into ops.quarantine ({names}) select {names} from incoming.quarantine",
        (
            "update ops.quarantine set status = 'released', last_run_id = ? where subject = ?"
            " and status in ('open', 'ask_again') and item_id in (select item_id from incoming.published)",
            (run_id, subject.name),
        ),
    ]
