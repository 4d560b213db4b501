"""Staging after runs that ended early: what nobody needs goes, what somebody may still want stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.model import Run, utc_now
from feedback.validation.sweep import KEPT_FOR, sweep
from feedback.warehouse.merge import append, stage

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

DAY = timedelta(days=1)
TABLES = ("asked", "intent", "rejects")


@pytest.fixture
def staged(store):
    """Stages a row in several tables for a run whose last task ended so long ago; ``None``: no task has ended."""

    def write(run_id, ago):
        run = Run(run_id, "enrich_feedback", "ask")
        asked = {"enrichment": "intent", "outcome": "staged", "rows_out": 1, "asked_at": utc_now()}
        about = {"item_id": "i", "content_hash": "h", "prompt_version": "p"}
        stage(store, "asked", [about | asked], run)
        stage(store, "intent", [about | {"label": "praise"}], run)
        rejected = {"subject": "intent", "row_key": "i", "rule": "r", "severity": "critical", "reason": "why"}
        append(store, "staging.rejects", [about | rejected | {"run_id": run_id}])
        for number in range(2 if ago else 0):
            when = utc_now() - ago - number * DAY
            task = {"run_id": run_id, "dag_id": "d", "task_id": str(number), "outcome": "failed", "counts": {}}
            append(store, "ops.task_runs", [task | {"started_at": when, "finished_at": when}])

    return write


def runs(store):
    left = [{row["run_id"] for row in store.rows(f"select run_id from staging.{name}")} for name in TABLES]
    assert left[0] == left[1] == left[2]
    return left[0]


def test_what_a_dead_run_left_goes_a_week_after_its_last_task(store, staged):
    staged("dead", KEPT_FOR + DAY)
    staged("recent", KEPT_FOR - DAY)

    assert sweep(store) == 1
    assert runs(store) == {"recent"}
    assert sweep(store) == 0


def test_a_run_whose_first_task_is_at_work_is_left_alone(store, staged):
    staged("at work", None)

    assert sweep(store) == 0
    assert runs(store) == {"at work"}


@pytest.mark.parametrize(
    ("state", "stays"), [("open", True), ("accepted", True), ("dropped", True), ("re_asked", False)]
)
def test_a_batch_with_a_case_stays_while_a_person_may_want_it(state, stays, store, staged):
    staged("blocked", KEPT_FOR + DAY)
    case = {"case_id": "c", "subject": "intent", "run_id": "blocked", "rules": "r", "opened_at": utc_now()}
    append(store, "ops.cases", [case | {"state": state}])

    assert sweep(store) == (not stays)
    assert runs(store) == ({"blocked"} if stays else set())


def test_what_a_source_has_missed_is_no_leftover(store, staged):
    staged("dead", KEPT_FOR + DAY)
    missed = {"source": "s", "target": "raw.app_reviews", "row_key": "k", "item_id": "i", "is_kept": False}
    append(store, "staging.gone", [missed | {"run_id": "dead", "missed_at": utc_now()}])

    sweep(store)

    assert len(store.rows("select row_key from staging.gone")) == 1
