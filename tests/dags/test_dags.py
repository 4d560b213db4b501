"""What must hold of every Dag and every task."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.operators.feedback_operator import FeedbackOperator
from include.assets import WOKEN

ROOT = Path(__file__).resolve().parents[2]
POOLS = {"feedback", "feedback_llm", "feedback_slack", "feedback_write"}
OURS = {"extract_feedback", "enrich_feedback", "resolve_entities", "triage_digest"}
HEAVY = ("great_expectations", "pandas", "duckdb", "snowflake", "openai", "sklearn", "pyarrow", "aiohttp")

PARSE = """
import json, runpy, sys
sys.path[:0] = [{root!r}]
sys.path.append({plugins!r})
import airflow.sdk
before = set(sys.modules)
for file in {files!r}:
    runpy.run_path(file)
print("HEAVY", json.dumps([name for name in {heavy!r} if name in sys.modules and name not in before]))
"""
SLACK_TASKS = """
tasks = runpy.run_path("dags/extract_feedback.py")["extract_feedback"]().tasks
told = {t.task_id: (t.pool, t.execution_timeout.total_seconds() / 60) for t in tasks if "extract" in t.task_id}
print("TASKS", json.dumps(told))
"""


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    """Every Dag of the bundle, read as Airflow reads it: the repository is the bundle, dags/ what is scanned."""
    from airflow.dag_processing.dagbag import BundleDagBag

    os.environ["FEEDBACK_EXAMPLE_WAREHOUSE"] = "on"
    try:
        bag = BundleDagBag(dag_folder=ROOT, bundle_path=ROOT, bundle_name="feedback")
    finally:
        del os.environ["FEEDBACK_EXAMPLE_WAREHOUSE"]
    assert bag.import_errors == {}
    return bag.dags


def starts_when(dag) -> set[str]:
    """Return the names of the assets a Dag waits for."""
    return {asset.name for asset in dag.timetable.asset_condition.objects}


def updates(dag) -> set[str]:
    return {asset.name for task in dag.tasks for asset in task.outlets}


def tasks(dags):
    return [(dag, task) for dag_id, dag in dags.items() if dag_id in OURS for task in dag.tasks]


def test_the_bundle_holds_our_dags_and_the_example(dags):
    assert set(dags) == OURS | {"warehouse_main"}


def test_the_example_producer_is_read_only_where_it_is_asked_for():
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=ROOT, bundle_path=ROOT, bundle_name="feedback")

    assert set(bag.dags) == OURS


def test_what_is_watched_is_what_wakes_each_dag(dags):
    def waking(dag_id):
        wanted = starts_when(dags[dag_id])
        (found,) = [
            (dag.dag_id, task.task_id) for dag, task in tasks(dags) if wanted & {asset.name for asset in task.outlets}
        ]
        return found

    assert {dag_id: waking(dag_id) for dag_id in WOKEN} == WOKEN
    assert OURS - set(WOKEN) == {"extract_feedback", "triage_digest"}


def test_each_dag_is_woken_by_what_the_one_before_it_publishes(dags):
    assert starts_when(dags["extract_feedback"]) == updates(dags["warehouse_main"]) == {"warehouse_main"}
    assert starts_when(dags["enrich_feedback"]) == updates(dags["extract_feedback"]) == {"feedback.items"}
    assert starts_when(dags["resolve_entities"]) <= updates(dags["enrich_feedback"])
    assert starts_when(dags["triage_digest"]) == updates(dags["resolve_entities"]) == {"feedback.entities"}


def test_the_digest_also_comes_by_time(dags):
    timetable = dags["triage_digest"].timetable

    assert type(timetable).__name__ == "AssetOrTimeSchedule"
    assert timetable.timetable.expression == "0 7 * * *"


def test_every_task_has_a_pool_of_ours_a_time_limit_an_owner_and_the_failure_notifier(dags):
    for dag, task in tasks(dags):
        name = f"{dag.dag_id}.{task.task_id}"
        assert task.pool in POOLS, name
        assert task.execution_timeout, name
        assert task.owner not in ("", "airflow"), name
        assert task.on_failure_callback, name
        assert task.priority_weight == 1, name
        assert task.weight_rule == "absolute", name


def test_what_asks_models_shares_the_one_slot_over_all_dags(dags):
    assert [(dag.dag_id, task.task_id) for dag, task in tasks(dags) if task.pool == "feedback_llm"] == [
        ("enrich_feedback", "ask"),
        ("resolve_entities", "resolve"),
    ]


def test_the_tasks_that_a_report_tells_of_lead_to_it_also_once_serialized(dags):
    from airflow.serialization.serialized_objects import DagSerialization

    linked = {
        f"{dag_id}.{task.task_id}"
        for dag_id in OURS
        for task in DagSerialization.from_dict(DagSerialization.to_dict(dags[dag_id])).tasks
        if "Report" in task.extra_links
    }
    gates = {f"{dag.dag_id}.{task.task_id}" for dag, task in tasks(dags) if task.task_id.endswith("validate")}
    assert linked == {"enrich_feedback.ask", "triage_digest.report"} | gates


def test_what_an_operator_is_told_by_name_it_keeps_as_it_was_told(dags):
    """Airflow renders templates after the constructor: one that already does something with a value is too early."""
    for operator in {type(task) for _, task in tasks(dags)}:
        taken = {**told_by_name(FeedbackOperator), **told_by_name(operator)}
        kept = vars(operator(task_id="a_task", **taken))
        assert {name: kept.get(name) for name in taken} == taken, operator
        assert set(operator.template_fields) <= set(taken), operator


def told_by_name(operator):
    """Return a value of its own for each parameter of a constructor; one that can be given by place is refused."""
    parameters = [
        p for p in inspect.signature(operator.__init__).parameters.values() if p.name not in ("self", "kwargs")
    ]
    assert {p.kind for p in parameters} <= {inspect.Parameter.KEYWORD_ONLY}, operator
    return {p.name: object() for p in parameters}


def test_an_asset_hangs_on_publishing_and_on_nothing_else(dags):
    for dag, task in tasks(dags):
        assert bool(task.outlets) == task.task_id.split(".")[-1].startswith("publish"), f"{dag.dag_id}.{task.task_id}"


def test_nothing_is_published_that_was_not_validated(dags):
    for dag, task in tasks(dags):
        if task.outlets:
            upstream = [dag.get_task(task_id).task_type for task_id in task.upstream_task_ids]
            assert upstream == ["ValidateOperator"], f"{dag.dag_id}.{task.task_id}"
            assert task.trigger_rule == "all_success"


def test_every_dag_says_what_it_does_and_what_to_do_when_it_fails(dags):
    for dag in dags.values():
        assert "**Starts when**" in dag.doc_md
        assert "**If it fails**" in dag.doc_md
        assert dag.tags
        assert dag.max_active_runs == 1
        assert not dag.catchup


def test_dags_import_nothing_heavy():
    files = [str(file) for file in sorted((ROOT / "dags").glob("*.py"))]
    code = PARSE.format(root=str(ROOT), plugins=str(ROOT / "plugins"), files=files, heavy=HEAVY)
    environment = os.environ | {"FEEDBACK_EXAMPLE_WAREHOUSE": "on"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("HEAVY")]
    assert json.loads(line.removeprefix("HEAVY ")) == []


def test_slack_is_read_one_task_at_a_time_and_given_the_minutes_that_are_set():
    code = PARSE.format(root=str(ROOT), plugins=str(ROOT / "plugins"), files=[], heavy=()) + SLACK_TASKS
    variables = {"FEEDBACK_SLACK_EXPORT": "e.zip", "FEEDBACK_SLACK_CHANNELS": "*", "FEEDBACK_SLACK_MINUTES": "90"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith("TASKS")]
    tasks = json.loads(line.removeprefix("TASKS "))
    assert {name: pool for name, (pool, _) in tasks.items()} == {
        "extract_slack_export": "feedback_slack",
        "extract_slack_api": "feedback_slack",
    }
    assert tasks["extract_slack_api"][1] > 90


def test_plugins_are_not_executed_under_their_bare_names():
    """Without plugins/.airflowignore our duckdb.py would replace the library for every later import."""
    code = (
        "import airflow, sys; from airflow import plugins_manager; plugins_manager._get_plugins(); "
        "print([n for n in ('base', 'suite', 'snowflake', 'duckdb') if 'plugins/feedback' in "
        "str(getattr(sys.modules.get(n), '__file__', ''))])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, timeout=120)

    assert done.stdout.strip().splitlines()[-1] == "[]", done.stderr
