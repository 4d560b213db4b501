"""Alerts of tasks that failed: one for each trouble, told without a customer's word, and never a failure itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from feedback.errors import FeedbackError, GateBlocked, InputRefused, RunIncomplete, WarehouseBusy, WarehouseError
from feedback.model import Counts, Run, utc_now
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.notifications.incidents import recover
from feedback.operators.feedback_operator import FeedbackOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.rule import Rule
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append
from tests.plugins.feedback.notifications.slack_channel import served
from tests.plugins.feedback.operators.test_validate_operator import answer, operator, propose

HOSTILE = "I am Jane and <b>my app</b> crashes"
RULES = (
    Rule("answered_once", "run", "critical", "pipeline", "File a bug.", "measured = 0"),
    Rule("label_known", "row", "critical", "prompts", "See the prompt.", "label = 'a'"),
)


@pytest.fixture
def alerts(tmp_path):
    return tmp_path / "alerts"


@pytest.fixture
def notifier(warehouse, alerts):
    return IncidentNotifier(warehouse=warehouse, folder=alerts, report=Path("report/index.html"))


def failed(error, task_id="ask", run_id="run_1", state="failed", dag_id="enrich_feedback", task=None):
    """The context of a task that failed with this error, as our operators hand it to Airflow."""
    try:
        try:
            raise error
        except (FeedbackError, KeyError, RuntimeError, AirflowException) as cause:
            raise AirflowFailException(str(cause)) from None
    except AirflowException as airflow_error:
        ti = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id=run_id, state=state)
        return {"ti": ti, "task": task, "exception": airflow_error}


def blocked(warehouse, subject="sentiment", run_id="run_1", rules=("answered_once",)):
    """A gate that has just blocked a subject, and the context of its task."""
    finding = {"run_id": run_id, "subject": subject, "slice": "all", "severity": "critical", "outcome": "fail"}
    finding |= {"failed": 3, "total": 80, "decision": "block", "checked_at": utc_now()}
    append(warehouse, "ops.validations", [finding | {"rule": rule} for rule in rules])
    task = ValidateOperator(
        task_id="validate", subject=answer_subject(subject, key=("item_id",), rules=RULES), warehouse=warehouse
    )
    return failed(GateBlocked(f"{subject} is not published"), f"{subject}.validate", run_id, task=task)


def told(alerts):
    return [json.loads(file.read_text()) for file in sorted(alerts.glob("*"))]


def incidents(warehouse):
    return warehouse.rows("select * from ops.incidents order by key")


def passed(warehouse, subject, run_id):
    finding = {"run_id": run_id, "subject": subject, "slice": "all", "severity": "critical", "outcome": "pass"}
    finding |= {"rule": "answered_once", "failed": 0, "total": 9, "decision": "publish", "checked_at": utc_now()}
    append(warehouse, "ops.validations", [finding])


def test_a_failure_is_one_incident_with_one_message(warehouse, notifier, alerts):
    notifier(failed(InputRefused("reviews.csv: row 3 has 4 columns, 20 expected")))
    (incident,) = incidents(warehouse)
    assert (incident["key"], incident["state"], incident["count"]) == ("enrich_feedback/failed/ask", "open", 1)
    (message,) = told(alerts)
    assert message["sentence"] == "enrich_feedback.ask failed: reviews.csv: row 3 has 4 columns, 20 expected"
    assert message["incident_id"] == incident["incident_id"]
    assert message["report"] == "report/index.html"
    assert message["runbook"]


def test_a_block_names_rules_counts_and_what_to_do(warehouse, notifier, alerts):
    notifier(blocked(warehouse, rules=("answered_once", "label_known")))
    (message,) = told(alerts)
    assert message["key"] == "enrich_feedback/blocked/answered_once,label_known"
    assert "sentiment: sentiment answered_once 3/80; sentiment label_known 3/80" in message["sentence"]
    assert [(rule["rule"], rule["failed"], rule["total"]) for rule in message["rules"]] == [
        ("answered_once", 3, 80),
        ("label_known", 3, 80),
    ]
    assert message["runbook"][:2] == ["answered_once: File a bug.", "label_known: See the prompt."]
    assert "make review" in message["runbook"][2]


def test_several_failures_of_a_run_for_one_cause_are_one_message(warehouse, notifier, alerts):
    for subject in ("sentiment", "intent"):
        notifier(blocked(warehouse, subject))
    (incident,) = incidents(warehouse)
    assert incident["count"] == 1
    (message,) = told(alerts)
    assert "did not publish intent, sentiment:" in message["sentence"]


def test_trouble_that_lasts_counts_runs_and_stays_one_message(warehouse, notifier, alerts):
    for run_id in ("run_1", "run_2", "run_2", "run_3"):
        notifier(failed(InputRefused("broken.zip is no export"), run_id=run_id))
    (incident,) = incidents(warehouse)
    assert (incident["count"], incident["first_run_id"], incident["last_run_id"]) == (3, "run_1", "run_3")
    (message,) = told(alerts)
    assert (message["count"], message["run_id"]) == (3, "run_3")


def test_different_troubles_are_different_messages(warehouse, notifier, alerts):
    notifier(failed(InputRefused("broken.zip is no export"), task_id="extract"))
    notifier(failed(InputRefused("broken.zip is no export"), task_id="ask"))
    notifier(blocked(warehouse))
    assert len(incidents(warehouse)) == len(told(alerts)) == 3


def test_a_source_that_failed_and_the_task_that_fails_its_run_are_one_message(warehouse, notifier, alerts):
    notifier(failed(InputRefused("reviews.csv is gone"), task_id="extract_google_play_csv"))
    notifier(failed(RunIncomplete("google_play_csv could not be read"), task_id="complete"))
    (message,) = told(alerts)
    assert message["key"] == "enrich_feedback/failed/extract_google_play_csv"
    assert len(incidents(warehouse)) == 1


def test_a_task_that_never_ran_says_nothing(warehouse, notifier, alerts):
    notifier(failed(InputRefused("x"), state="upstream_failed"))
    assert incidents(warehouse) == []
    assert not alerts.exists()


@pytest.mark.parametrize("error", [KeyError(HOSTILE), AirflowException(HOSTILE), RuntimeError(HOSTILE)])
def test_the_text_of_an_error_that_is_not_ours_is_not_told(warehouse, notifier, alerts, error):
    context = failed(error)
    notifier(context)
    context["exception"] = error
    notifier(context)
    context["exception"] = HOSTILE
    notifier(context)
    assert "Jane" not in json.dumps([told(alerts), incidents(warehouse)], default=str)


def test_what_the_operator_wrote_about_an_unexpected_error_is_told(warehouse, notifier, alerts):
    row = {"run_id": "run_1", "dag_id": "enrich_feedback", "task_id": "ask", "outcome": "failed", "counts": {}}
    row |= {"message": "unexpected KeyError at pack.py:12", "started_at": utc_now(), "finished_at": utc_now()}
    append(warehouse, "ops.task_runs", [row])
    notifier(failed(KeyError(HOSTILE)))
    assert told(alerts)[0]["sentence"] == "enrich_feedback.ask failed: unexpected KeyError at pack.py:12"


def test_the_cost_of_the_run_is_told(warehouse, notifier, alerts):
    call = dict.fromkeys(("purpose", "model", "mode", "status"), "x") | {"dag_id": "enrich_feedback", "task_id": "ask"}
    call |= dict.fromkeys(("attempt", "row_count", "input_tokens", "cached_tokens", "cache_write_tokens"), 1)
    call |= {"output_tokens": 1, "reasoning_tokens": 0, "reserved_usd": 1.0, "cost_usd": 0.25, "run_id": "run_1"}
    call |= {"started_at": utc_now(), "prompt_versions": {}}
    append(warehouse, "ops.llm_calls", [call | {"call_id": str(n)} for n in range(2)])
    notifier(failed(InputRefused("x")))
    assert told(alerts)[0]["cost_usd"] == 0.5


def test_five_thousand_bad_rows_are_one_message_in_slack(warehouse, run, alerts):
    propose(warehouse, run, [answer(n, label="furious") for n in range(5_000)])
    gate = operator(warehouse)
    with served() as channel:
        notifier = IncidentNotifier(warehouse=warehouse, folder=alerts, channel="C1", client=channel.client)
        with pytest.raises(GateBlocked) as blocked:
            gate.work(run, {})
        for _ in range(2):
            notifier(failed(blocked.value, "sentiment.validate", run.run_id, task=gate))
        (message,) = channel.messages
    words = json.dumps(message["blocks"])
    assert "5,000 of 5,000 failed" in words
    assert words.count("label_known: slack:T:C:") == 3
    assert "script" not in words  # the quote of every row


class Unreachable:
    """A warehouse that is out of reach."""

    def rows(self, sql, params=()):
        raise WarehouseBusy("another process holds it")

    def transact(self, steps, incoming=None):
        raise WarehouseError("gone")


def test_without_a_warehouse_there_is_still_one_message(alerts):
    notifier = IncidentNotifier(warehouse=Unreachable(), folder=alerts)
    for _ in range(2):
        notifier(failed(WarehouseError("warehouse.duckdb is not a DuckDB file")))
    (message,) = told(alerts)
    assert message["sentence"].endswith("warehouse.duckdb is not a DuckDB file")
    assert (message["count"], message["cost_usd"]) == (1, None)


@pytest.mark.parametrize("context", [{}, {"ti": None}, {"ti": SimpleNamespace(state="failed")}])
def test_a_context_it_cannot_read_is_no_second_failure(notifier, context):
    notifier(context)


def test_a_folder_it_cannot_write_is_no_second_failure(warehouse, tmp_path):
    (tmp_path / "file").write_text("")
    IncidentNotifier(warehouse=warehouse, folder=tmp_path / "file")(failed(InputRefused("x")))
    assert len(incidents(warehouse)) == 1


def test_a_block_is_over_when_all_it_blocked_has_passed(warehouse, notifier):
    for subject in ("sentiment", "intent"):
        notifier(blocked(warehouse, subject))
    run = Run("run_2", "enrich_feedback", "publish")
    passed(warehouse, "sentiment", "run_2")
    recover(warehouse, run)
    assert incidents(warehouse)[0]["state"] == "open"
    passed(warehouse, "intent", "run_2")
    recover(warehouse, Run("run_2", "extract_feedback", "publish"))
    assert incidents(warehouse)[0]["state"] == "open"
    recover(warehouse, run)
    assert incidents(warehouse)[0]["state"] == "recovered"


def test_trouble_that_comes_back_is_a_new_incident(warehouse, notifier, alerts):
    notifier(blocked(warehouse))
    passed(warehouse, "sentiment", "run_2")
    recover(warehouse, Run("run_2", "enrich_feedback", "publish"))
    notifier(blocked(warehouse, run_id="run_3"))
    assert sorted(incident["state"] for incident in incidents(warehouse)) == ["open", "recovered"]
    assert len(told(alerts)) == 2


def test_a_failed_task_is_well_again_when_it_has_succeeded(warehouse, notifier):
    class Digest(FeedbackOperator):
        def work(self, run, context):
            return Counts({})

    notifier(failed(InputRefused("x"), task_id="digest", dag_id="triage_digest"))
    for task_id, state in (("report", "open"), ("digest", "recovered")):
        ti = SimpleNamespace(run_id="run_2", dag_id="triage_digest", task_id=task_id)
        Digest(task_id=task_id, warehouse=warehouse).execute({"ti": ti})
        assert incidents(warehouse)[0]["state"] == state
