"""Moves what a gate set aside into ``ops.quarantine``, where it waits for a person."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse

KEY = ("subject", "row_key", "rule", "content_hash", "prompt_version")


def set_aside(warehouse: Warehouse, subject: Subject, run_id: str) -> list[dict[str, Any]]:
    """Return rows of ``ops.quarantine`` for what this run set aside, keeping who first did."""
    same = " and ".join(f"q.{column} = r.{column}" for column in KEY)
    found = warehouse.rows(
        "select r.subject, r.row_key, r.rule, r.content_hash, r.prompt_version, r.item_id, r.severity, r.reason,"
        " 'open' as status, coalesce(q.first_run_id, r.run_id) as first_run_id, r.run_id as last_run_id"
        f" from staging.rejects as r left join ops.quarantine as q on {same} where r.run_id = ? and r.subject = ?",
        (run_id, subject.name),
    )
    evidence = _evidence(warehouse, subject, run_id) if found else {}
    return [row | {"evidence": evidence.get(row["item_id"])} for row in found]


def _evidence(warehouse: Warehouse, subject: Subject, run_id: str) -> dict[str, str]:
    """Return the staged rows of each item that was set aside, as JSON: a person may want to publish them."""
    rejected = "select item_id from staging.rejects where run_id = ? and subject = ?"
    staged = warehouse.rows(
        f"select {subject.item_id} as of_item, s.* from {subject.judged.staged} as s"
        f" where run_id = ? and {subject.item_id} in ({rejected})",
        (run_id, run_id, subject.name),
    )
    rows = defaultdict(list)
    for row in staged:
        rows[row.pop("of_item")].append(row)
    return {item: json.dumps(mine, default=str, ensure_ascii=False) for item, mine in rows.items()}


def steps(subject: Subject, run_id: str, columns: Sequence[str]) -> list[Step]:
    """Return the statements that write ``incoming.quarantine`` and release what has passed since.

    An item in ``incoming.published`` is out of quarantine: its newer row kept every rule. What a person wanted
    asked again has been, whatever came of it.
    """
    names = ", ".join(columns)
    values = names.replace("evidence", "parse_json(evidence)")
    same = " and ".join(f"new.{column} = quarantine.{column}" for column in KEY)
    return [
        f"delete from ops.quarantine where exists (select 1 from incoming.quarantine as new where {same})",
        (
            "update ops.quarantine set status = 'released', last_run_id = ? where subject = ? and status = 'ask_again'"
            " and item_id in (select item_id from incoming.quarantine)",
            (run_id, subject.name),
        ),
        f"insert into ops.quarantine ({names}) select {values} from incoming.quarantine",
        (
            "update ops.quarantine set status = 'released', last_run_id = ? where subject = ?"
            " and status in ('open', 'ask_again') and item_id in (select item_id from incoming.published)",
            (run_id, subject.name),
        ),
    ]
