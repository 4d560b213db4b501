"""A failing source holds back nobody, but the run says so in its last task."""

from datetime import datetime
from pathlib import Path

import pytest
from airflow.sdk import DAG

from feedback.errors import RunIncomplete
from feedback.operators.extract_operator import ExtractOperator
from feedback.operators.sources_operator import SourcesOperator
from feedback.sources.google_play_csv import GooglePlayCsv
from feedback.sources.slack_export import SlackExport
from feedback.warehouse.merge import append


@pytest.fixture
def complete(warehouse):
    """The last task of a Dag with two sources."""
    with DAG("a_dag", schedule=None):
        for source in (SlackExport(Path("a.zip")), GooglePlayCsv(Path("b.csv"))):
            ExtractOperator(task_id=f"extract_{source.name}", source=source, warehouse=warehouse)
        return SourcesOperator(task_id="complete", warehouse=warehouse)


def ended(warehouse, task_id, outcome, run_id="run_1"):
    when = datetime(2026, 10, 1)
    row = {"run_id": run_id, "dag_id": "a_dag", "task_id": task_id, "outcome": outcome, "counts": {}}
    append(warehouse, "ops.task_runs", [row | {"started_at": when, "finished_at": when}])


def test_with_every_source_read_the_run_succeeds(complete, warehouse, run):
    ended(warehouse, "extract_slack_export", "success")
    ended(warehouse, "extract_google_play_csv", "success")

    assert complete.work(run, {}).numbers == {"sources": 2}


@pytest.mark.parametrize("outcome", ["failed", None], ids=["failed", "killed"])
def test_a_source_that_did_not_succeed_fails_the_run_by_name(outcome, complete, warehouse, run):
    ended(warehouse, "extract_slack_export", "success")
    ended(warehouse, "extract_google_play_csv", "success", run_id="an earlier run")
    if outcome:
        ended(warehouse, "extract_google_play_csv", outcome)

    with pytest.raises(RunIncomplete, match=r"^google_play_csv could not be read"):
        complete.work(run, {})
