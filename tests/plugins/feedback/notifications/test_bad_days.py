"""A good day is silent; each kind of bad day is exactly one message, with what happened and what to do about it."""

import json
from datetime import timedelta

import pytest

from feedback.errors import CredentialRefused, GateBlocked
from feedback.model import utc_now
from feedback.notifications.incident_notifier import IncidentNotifier
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.operators.watch_operator import WatchOperator
from feedback.validation.rule import Rule
from feedback.validation.spending import budget_rule
from feedback.warehouse.merge import append
from include.assets import WOKEN
from include.expectations import ANSWER_SUBJECTS
from tests.plugins.feedback.notifications.slack_channel import served
from tests.plugins.feedback.notifications.test_incident_notifier import failed
from tests.plugins.feedback.operators.test_publish_operator import item
from tests.plugins.feedback.operators.test_validate_operator import answer, propose
from tests.plugins.feedback.operators.test_watch_operator import heard, ran

SENTIMENT = ANSWER_SUBJECTS["sentiment"]
HOSTILE = "script"
"""In the quote of every row."""


@pytest.fixture
def day(warehouse, run, tmp_path):
    """A day's gate, publish and watch, each as Airflow runs it, told to Slack; and the channel."""
    with served() as channel:
        yield Day(warehouse, run, channel, tmp_path / "alerts")


class Day:
    def __init__(self, warehouse, run, channel, folder):
        self.warehouse, self.run, self.channel = warehouse, run, channel
        self.notifier = IncidentNotifier(warehouse=warehouse, folder=folder, channel="C1", client=channel.client)
        rows = [{name: value for name, value in item(n).items() if name != "has_personal_data"} for n in range(40)]
        append(warehouse, "feedback.items", [row | {"first_run_id": "r", "run_id": "r"} for row in rows])

    def judge(self, *limits):
        """Judge and publish; a gate that blocks is tried twice, as by a person who clears it."""
        gate = ValidateOperator(task_id="validate", subject=SENTIMENT, limits=limits, warehouse=self.warehouse)
        publish = PublishOperator(task_id="publish", subject=SENTIMENT, warehouse=self.warehouse)
        for _ in range(2):
            try:
                gate.work(self.run, {})
                publish.work(self.run, {})
            except GateBlocked as error:
                self.fail(error, "sentiment.validate", gate)

    def fail(self, error, task_id, task=None):
        self.notifier(failed(error, task_id, self.run.run_id, task=task))

    def watch(self, sources=()):
        operator = WatchOperator(
            task_id="watch",
            sources=sources,
            subjects=tuple(ANSWER_SUBJECTS.values()),
            woken=WOKEN,
            notifier=self.notifier,
            as_of=utc_now(),
            warehouse=self.warehouse,
        )
        operator.work(self.run, {})


def sound(day):
    propose(day.warehouse, day.run, [answer(n) for n in range(40)])


def lost_an_answer(day):
    sound(day)
    day.warehouse.transact(["delete from staging.sentiment where item_id like '%:7'"])
    day.judge()


def a_bad_model(day):
    propose(day.warehouse, day.run, [answer(n, label="furious") for n in range(40)])
    day.judge()


def a_broken_rule(day):
    sound(day)
    day.judge(Rule("broken", "run", "info", "pipeline", "Mend its SQL.", "measured > 0", "select nothing as slice"))


def overspent(day):
    sound(day)
    call = dict.fromkeys(("attempt", "row_count", "input_tokens", "cached_tokens", "cache_write_tokens"), 1)
    call |= {"output_tokens": 1, "reasoning_tokens": 0, "reserved_usd": 1.0, "cost_usd": 9.0, "purpose": "enrich"}
    call |= {"model": "m", "mode": "online", "status": "settled", "dag_id": "enrich_feedback", "task_id": "ask"}
    call |= {"run_id": day.run.run_id, "started_at": utc_now(), "prompt_versions": {}, "call_id": "c"}
    append(day.warehouse, "ops.llm_calls", [call])
    day.judge(budget_rule(5.0, 20.0))


def a_crash(day):
    day.fail(CredentialRefused("connection openai_default was refused (401): see its password"), "ask")
    day.fail(CredentialRefused("connection openai_default was refused (401): see its password"), "ask")


def a_crash_without_a_word(day):
    day.fail(KeyError(HOSTILE), "ask")


def a_silent_source(day):
    heard(day.warehouse, 8, 7, 6, 5, source="itunes")
    moved = "update feedback.items set last_activity_at = ? - interval '1 day' * cast(source_key as integer)"
    day.warehouse.transact([(f"{moved} where source = 'itunes'", (utc_now(),))])
    day.watch(sources=("itunes",))


def a_dag_asleep(day):
    ran(day.warehouse, 3, task="publish")
    at = utc_now() - timedelta(days=3)
    day.warehouse.transact([("update ops.task_runs set started_at = ?, finished_at = ?", (at, at))])
    day.watch()


BAD_DAYS = {
    lost_an_answer: ("did not publish sentiment: sentiment answered_once 1/40", "answered_once: An item was lost"),
    a_bad_model: ("set_aside_share 40/40", "make review"),
    a_broken_rule: ("broken could not be judged", "broken: Mend its SQL."),
    overspent: ("budget_kept 1/1 (measured 9, bound 5)", "US$ 9.0000"),
    a_crash: ("openai_default was refused (401)", "clear the task"),
    a_crash_without_a_word: ("enrich_feedback.ask failed: ", "Read the task's log"),
    a_silent_source: ("itunes has brought nothing new since", "the incident ends with the next item"),
    a_dag_asleep: ("enrich_feedback has not begun what extract_feedback published", "whether the Dag is paused"),
}


@pytest.mark.parametrize("bad", BAD_DAYS, ids=lambda bad: bad.__name__)
def test_a_bad_day_is_one_message_that_says_what_happened_and_what_to_do(day, bad):
    bad(day)
    day.watch()
    day.notifier.tell()
    (message,) = day.channel.messages
    told = message["text"] + json.dumps(message["blocks"], ensure_ascii=False)
    for said in BAD_DAYS[bad]:
        assert said in told
    assert HOSTILE not in told


def test_a_good_day_is_published_and_silent(day):
    sound(day)
    day.judge()
    day.watch()
    assert day.channel.calls == []
    assert day.warehouse.rows("select count(*) as n from feedback.sentiment") == [{"n": 40}]
    assert day.warehouse.rows("select * from ops.incidents") == []


def test_a_day_of_warnings_alone_is_silent_too(day):
    propose(day.warehouse, day.run, [answer(n, prompt_version="p") for n in range(40)])
    day.judge()
    warned = day.warehouse.rows(
        "select distinct rule from ops.validations where severity = 'warning' and outcome = 'fail'"
    )
    assert {"rule": "asked_as_approved"} in warned
    assert day.channel.calls == []
