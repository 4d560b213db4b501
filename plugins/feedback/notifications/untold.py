"""Blocked batches that nobody was told of: the task was killed after it had opened the case and before it told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from feedback.model import utc_now
from feedback.notifications.trouble import Trouble, blocked
from feedback.validation.subject import Subject
from feedback.warehouse.base import Warehouse

AT_WORK = timedelta(minutes=2)
"""So long after its case was opened a task may still be about to tell."""

WAITING = """
    select cases.subject, cases.run_id, cases.opened_at, ran.dag_id
    from ops.cases as cases
    join (select run_id, min(dag_id) as dag_id from ops.task_runs group by run_id) as ran
        on ran.run_id = cases.run_id
    where cases.state = 'open' and cases.opened_at <= ?
    order by cases.opened_at, cases.subject
"""
TOLD = "select 1 as found from ops.incidents where key = ? and (state = 'open' or updated_at >= ?)"


def untold(warehouse: Warehouse, subjects: Sequence[Subject]) -> Iterator[Trouble]:
    """Yield what somebody should have been told."""
    known = {subject.name: subject.rules for subject in subjects}
    for row in warehouse.rows(WAITING, (utc_now() - AT_WORK,)):
        rules = known.get(row["subject"], ())
        found = blocked(warehouse.rows, row["dag_id"], row["run_id"], row["subject"], rules)
        if found and not warehouse.rows(TOLD, (found.key, row["opened_at"])):
            yield found
