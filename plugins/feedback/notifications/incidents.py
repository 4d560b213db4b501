"""Incidents in ``ops.incidents``: the same trouble is one incident, counted once a run, until it is over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from feedback.model import Run, digest, utc_now
from feedback.warehouse.base import Step, Warehouse

BLOCKED = "select key, last_run_id, updated_at from ops.incidents where state = 'open' and key like ?"
STILL_BLOCKED = """
    select subject from ops.validations where run_id = ? and decision = 'block'
    except
    select subject from ops.validations where decision = 'publish' and checked_at > ?
"""
IS_OVER = "update ops.incidents set state = 'recovered', updated_at = ? where state = 'open' and key = ?"


def key_of(dag_id: str, decision: str, causes: Sequence[str]) -> str:
    """Return what makes two troubles the same.

    :param decision: ``blocked`` with the rules as causes, or ``failed`` with the task.
    """
    return f"{dag_id}/{decision}/{','.join(sorted(causes))}"


def meet(warehouse: Warehouse, key: str, run_id: str, message: Mapping[str, Any]) -> dict[str, Any]:
    """Open the incident of this key, or count this run, once, to the one that is open; return its row.

    :param message: what people are told; its ``sentence`` sums it up.
    """
    summary, told = message["sentence"], json.dumps(message, ensure_ascii=False)
    now = utc_now()
    opened = (
        "insert into ops.incidents (incident_id, key, state, first_run_id, last_run_id, count, summary, message,"
        " updated_at) select ?, ?, 'open', ?, ?, 1, ?, parse_json(?), ? where not exists"
        " (select 1 from ops.incidents where key = ? and state = 'open')"
    )
    counted = (
        "update ops.incidents set count = count + case when last_run_id <> ? then 1 else 0 end, last_run_id = ?,"
        " summary = ?, message = parse_json(?),"
        " updated_at = ? where key = ? and state = 'open'"
    )
    warehouse.transact(
        [
            (counted, (run_id, run_id, summary, told, now, key)),
            (opened, (digest(key, run_id)[:16], key, run_id, run_id, summary, told, now, key)),
        ]
    )
    return warehouse.rows("select * from ops.incidents where key = ? and state = 'open'", (key,))[0]


def recover(warehouse: Warehouse, run: Run) -> None:
    """Close the open incidents of blocked batches of this Dag: each subject that was blocked has passed since."""
    for incident in warehouse.rows(BLOCKED, (f"{key_of(run.dag_id, 'blocked', ())}%",)):
        if not warehouse.rows(STILL_BLOCKED, (incident["last_run_id"], incident["updated_at"])):
            warehouse.transact([(IS_OVER, (utc_now(), incident["key"]))])


def well_again(run: Run) -> Step:
    """Return the statement that closes the incident of a failed task, now that it has succeeded."""
    return IS_OVER, (utc_now(), key_of(run.dag_id, "failed", [run.task_id]))


def is_well(warehouse: Warehouse, key: str) -> None:
    """Close the open incident of this key, if there is one."""
    if warehouse.rows("select 1 as found from ops.incidents where state = 'open' and key = ?", (key,)):
        warehouse.transact([(IS_OVER, (utc_now(), key))])
