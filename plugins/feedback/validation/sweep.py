"""Clears staging of what runs that ended early left there: nobody publishes it any more, and all is owed again."""

from __future__ import annotations

from datetime import timedelta

from feedback.model import utc_now
from feedback.warehouse.base import Warehouse

KEPT_FOR = timedelta(days=7)
"""How long after its last task a run may still be cleared and find what it staged."""

# Raw rows that a source has missed are no run's, and what is on its way into a table is its session's.
STAGED = """
    select lower(table_name) as name from information_schema.columns
    where lower(table_schema) = 'staging' and lower(column_name) = 'run_id'
        and lower(table_name) <> 'gone' and lower(table_name) not like 'incoming_%'
    order by name
"""
DEAD = """
    select run_id from ops.task_runs where run_id in ({staged}) group by run_id having max(finished_at) < ?
    except select run_id from ops.cases where state in ('open', 'accepted', 'dropped')
"""


def sweep(warehouse: Warehouse) -> int:
    """Remove what old runs left in staging, and return of how many; a batch with a case stays as a person wants it.

    A run at work is never old: its first task writes to ``ops.task_runs`` before or soon after it stages.
    """
    tables = [f"staging.{row['name']}" for row in warehouse.rows(STAGED)]
    staged = " union ".join(f"select run_id from {table}" for table in tables)
    dead = warehouse.arrow(DEAD.format(staged=staged), (utc_now() - KEPT_FOR,))
    if dead.num_rows:
        warehouse.transact(
            [f"delete from {table} where run_id in (select run_id from incoming.dead)" for table in tables],
            {"dead": dead},
        )
    return int(dead.num_rows)
