"""What a report tells about the runs: each trouble once, where it arose."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedback.digest.runs import latest_runs, troubles
from feedback.warehouse.merge import append

START = datetime(2026, 11, 2, 7)


@pytest.fixture
def ended(warehouse):
    """Writes how tasks of one run ended, in their order."""

    def write(**outcomes):
        run = {"run_id": "run_1", "dag_id": "extract_feedback", "counts": {}}
        for number, (task_id, outcome) in enumerate(outcomes.items()):
            message = None if outcome == "success" else f"{task_id} says why"
            when = START + timedelta(seconds=number)
            row = {"task_id": task_id, "outcome": outcome, "message": message, "started_at": when, "finished_at": when}
            append(warehouse, "ops.task_runs", [run | row])

    return write


def told(warehouse):
    return [trouble["message"] for trouble in troubles(warehouse, ["run_1"])]


def test_what_only_follows_from_another_failure_is_not_told(warehouse, ended):
    ended(extract_zip="failed", stage="success", validate="blocked", complete="incomplete")
    assert told(warehouse) == ["extract_zip says why", "validate says why"]


def test_where_the_task_that_failed_left_no_word_the_one_that_noticed_has_it(warehouse, ended):
    ended(stage="success", complete="incomplete")
    assert told(warehouse) == ["complete says why"]
    assert [run.outcome for run in latest_runs(warehouse)] == ["failed"]


def test_without_a_run_there_is_no_trouble(warehouse):
    assert troubles(warehouse, []) == []
