"""A process killed in the middle of a publish leaves all of it or nothing, and the next attempt does it once."""

import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from feedback.model import Run
from feedback.validation.publication import publish
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append, stage

ROOT = Path(__file__).resolve().parents[4]
RUN = Run(run_id="run_2", dag_id="a_dag", task_id="publish")
SUBJECT = answer_subject("intent", key=("item_id",), rules=())

PUBLISHER = """
import os, signal, sys
from pathlib import Path
from feedback.validation.publication import publish
from feedback.validation.subject import answer_subject
from feedback.warehouse.duckdb import DuckDBWarehouse

class Deadly(list):
    def __init__(self, steps, survived):
        super().__init__(steps)
        self.survived = survived

    def __iter__(self):
        for number, step in enumerate(super().__iter__()):
            if number == self.survived:
                os.kill(os.getpid(), signal.SIGKILL)
            yield step
        if self.survived == len(self):
            os.kill(os.getpid(), signal.SIGKILL)

class Dying(DuckDBWarehouse):
    def transact(self, steps, incoming=None):
        super().transact(Deadly(steps, int(sys.argv[2])), incoming)

publish(Dying(Path(sys.argv[1]), Path(sys.argv[3])), answer_subject("intent", key=("item_id",), rules=()), "run_2")
"""


def answer(number, label, run_id):
    return {
        "item_id": f"i{number}",
        "label": label,
        "content_hash": "h",
        "prompt_version": "p",
        "decided_by": "rule",
        "is_stale": False,
        "run_id": run_id,
        "engine_version": "1",
        "answered_at": datetime(2026, 11, 2 if run_id == "run_1" else 3),
    }


def prepare(warehouse):
    """Eight items with an old answer, seven with a new one staged, one of them set aside."""
    same = dict.fromkeys(("source", "source_key", "channel_or_app", "text", "visibility", "content_hash"), "h")
    same |= dict.fromkeys(("posted_at", "last_activity_at", "updated_at"), datetime(2026, 11, 2))
    same |= {"message_count": 1, "author_count": 1, "has_reply_by_team": False, "is_askable": True}
    same |= {"first_run_id": "run_1", "run_id": "run_1"}
    append(warehouse, "feedback.items", [same | {"item_id": f"i{n}"} for n in range(8)])
    append(warehouse, "feedback.intent", [answer(n, "old", "run_1") for n in range(8)])
    stage(warehouse, "intent", [answer(n, "new", "run_2") for n in range(7)], RUN)
    pair = {"enrichment": "intent", "content_hash": "h", "prompt_version": "p", "outcome": "staged", "rows_out": 1}
    stage(warehouse, "asked", [pair | {"item_id": f"i{n}"} for n in range(7)], RUN)
    reject = {"run_id": "run_2", "subject": "intent", "row_key": "i0", "item_id": "i0", "rule": "a_rule"}
    reject |= {"severity": "critical", "reason": "bad", "content_hash": "h", "prompt_version": "p"}
    append(warehouse, "staging.rejects", [reject])
    verdict = {"run_id": "run_2", "subject": "intent", "rule": "a_rule", "slice": "all", "severity": "critical"}
    verdict |= {"outcome": "fail", "failed": 1, "total": 7, "decision": "publish", "checked_at": datetime(2026, 11, 3)}
    append(warehouse, "ops.validations", [verdict])


def state(warehouse):
    """Every table that a publish writes, without the clock's columns."""
    tables = ("feedback.intent", "feedback.answers_history", "ops.answers", "ops.quarantine", "staging.intent")
    clocks = ("replaced_at",)
    rows = {table: warehouse.rows(f"select * from {table}") for table in (*tables, "staging.asked", "staging.rejects")}
    return {
        table: sorted(json.dumps({k: v for k, v in row.items() if k not in clocks}, default=str) for row in found)
        for table, found in rows.items()
    }


@pytest.mark.integration
def test_killed_between_any_two_statements_nothing_is_lost_or_doubled(warehouse):
    prepare(warehouse)
    before = state(warehouse)
    kills = 0
    while (died := _die_after(warehouse, kills)) == -signal.SIGKILL:
        assert state(warehouse) == before
        kills += 1
    assert died == 0
    assert kills > 8
    after = state(warehouse)
    assert not after["staging.intent"] + after["staging.asked"] + after["staging.rejects"]
    labels = warehouse.rows("select label, count(*) as n from feedback.intent group by label order by label")
    assert labels == [{"label": "new", "n": 6}, {"label": "old", "n": 2}]
    assert len(after["feedback.answers_history"]) == 6
    publish(warehouse, SUBJECT, RUN.run_id)
    assert state(warehouse) == after


def _die_after(warehouse, survived):
    arguments = [sys.executable, "-c", PUBLISHER, str(warehouse.path), str(survived), str(warehouse.ddl)]
    return subprocess.run(arguments, env={"PYTHONPATH": str(ROOT / "plugins")}, timeout=60, check=False).returncode
