"""`make run` over several runs, as a person calls it: what it keeps, what it asks again, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from dataclasses import dataclass

import psutil
import pytest
from pytest_httpserver import HTTPServer

from benchmarks.dump import published
from feedback.validation.cases import decide
from include.cli.components import members
from tests.integration.company import Ended, Home, Words, model, own_address, wait_until
from tests.plugins.feedback.llm.stand_in import StandIn, answers, asked_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

QUESTIONS = ("sentiment", "intent", "area", "mentions")
OF_A_RUN = {"run_id", "first_run_id", "call_id", "decided_by", "answered_at", "updated_at"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("make_run")


# The sample, twice


@dataclass(frozen=True)
class Sample:
    first: Ended
    again: Ended
    listened: set[str]
    left: list[int]
    before: dict
    after: dict
    home: Home


@pytest.fixture(scope="module")
def sample(folder):
    home = Home(folder / "sample")
    process = home.start()
    listened: set[str] = set()
    watcher = threading.Thread(target=watch, args=(process.pid, listened))
    watcher.start()
    first = home.wait(process)
    watcher.join()
    left = members({process.pid})
    before = published(home.data / "warehouse.duckdb")
    again = home.run(PYTHONPROFILEIMPORTTIME="1")
    return Sample(first, again, listened, left, before, published(home.data / "warehouse.duckdb"), home)


def watch(pid: int, listened: set[str]) -> None:
    """Collect the addresses on which a process listens while it lives."""
    try:
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            found = process.net_connections("tcp")
            listened |= {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN}
            time.sleep(0.1)
    except psutil.Error:
        return


def test_the_first_run_on_the_sample_publishes_and_says_that_no_language_model_answered(sample):
    assert (sample.first.status, sample.first.err) == (0, "")
    assert "offline model, not a language model" in sample.first.out
    assert (sample.home.data / "report" / "index.html").exists()
    assert list((sample.home.data / "digest").glob("*.json"))


def test_a_second_run_asks_nothing_and_changes_no_row(sample):
    assert sample.again.status == 0
    assert sample.before == sample.after
    assert sum(len(rows) for rows in sample.before.values()) > 1000
    assert sample.home.rows("select count(distinct run_id) from ops.llm_calls") == [(1,)]
    assert [line.split() for line in sample.again.out.splitlines() if line.startswith("calls")] == [["calls", "0"]]


def test_a_run_with_nothing_new_does_not_import_great_expectations(sample):
    log = (sample.home.path / "logs" / "run.log").read_text()

    assert "import time:" in log
    assert "feedback.operators" in log
    assert "great_expectations" not in log


def test_a_run_leaves_no_process_and_listens_on_loopback_alone(sample):
    assert sample.left == []
    assert sample.listened == {"127.0.0.1"}


def test_nothing_is_left_for_a_scheduler_to_start(sample):
    assert not (sample.home.path / "airflow").exists()
    with sqlite3.connect(sample.home.path / "airflow-run" / "airflow.db") as database:
        waiting = database.execute("select count(*) from asset_dag_run_queue").fetchone()
        states = database.execute("select distinct state from dag_run").fetchall()
    assert waiting == (0,)
    assert states == [("success",)]


def test_setup_makes_a_pool_that_is_missing_and_leaves_a_current_warehouse_alone(sample):
    database = sample.home.path / "airflow-run" / "airflow.db"
    with sqlite3.connect(database) as airflow:
        airflow.execute("delete from slot_pool where pool = 'feedback_llm'")
    ended = sample.home.wait(
        sample.home.start(
            "setup",
            AIRFLOW_HOME=str(database.parent),
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{database}",
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
        )
    )
    assert ended.status == 0, ended.err
    assert "feedback_llm (1)" in ended.out
    assert "warehouse: up to date" in ended.out
    with sqlite3.connect(database) as airflow:
        pools = dict(airflow.execute("select pool, slots from slot_pool where pool like 'feedback%'"))
    assert pools == {"feedback": 4, "feedback_llm": 1, "feedback_slack": 1, "feedback_write": 1}


# A company of its own: the offline model, growth and a model that answers badly, growth and a healthy one, none again


@pytest.fixture(scope="module")
def service():
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield StandIn(server)


@dataclass
class Company:
    home: Home
    words: Words
    service: StandIn
    ended: Ended
    seen: int = 0

    def run(self, **variables: str) -> Company:
        self.seen = len(self.service.requests)
        self.ended = self.home.run(**variables)
        return self

    @property
    def asked(self) -> dict[str, set[str]]:
        """The texts of the last run by question."""
        texts: dict[str, set[str]] = {name: set() for name in QUESTIONS}
        for body, pack in zip(self.service.requests[self.seen :], self.service.packs[self.seen :], strict=True):
            for name in asked_of(body):
                texts[name] |= set(pack)
        return texts

    def stale(self) -> dict[str, int]:
        """How many published answers are about a text that has moved, by question."""
        return {
            name: self.home.rows(f"select count(distinct item_id) from feedback.{name} where is_stale")[0][0]
            for name in QUESTIONS
        }

    def models(self) -> dict[str, list[str]]:
        """Who gave the published answers, by question."""
        return {
            name: [row[0] for row in self.home.rows(f"select distinct model from feedback.{name} order by 1")]
            for name in QUESTIONS
        }


@pytest.fixture(scope="module")
def offline(folder, service):
    words = Words(folder / "words")
    home = Home(folder / "company", words)
    return Company(home, words, service, home.run())


@dataclass(frozen=True)
class Blocked:
    ended: Ended
    models: dict[str, list[str]]
    stale: dict[str, int]
    reported_at: float
    alerts: list[dict]
    cases: list[tuple]


@pytest.fixture(scope="module")
def blocked(offline):
    assert offline.ended.status == 0
    report = offline.home.data / "report" / "index.html"
    os.utime(report, (0, 0))
    offline.words.say(3, "It got worse today.")
    offline.service.poison = {" ": answers(lambda answer: answer["sentiment"].update(label="zebra"))}
    offline.run(**model(offline.service.base_url))
    offline.service.poison = {}
    return Blocked(
        offline.ended,
        offline.models(),
        offline.stale(),
        report.stat().st_mtime,
        [json.loads(file.read_text()) for file in (offline.home.data / "alerts").glob("*")],
        offline.home.rows("select subject, state, case_id from ops.cases"),
    )


def test_a_gate_that_blocks_is_exit_3_with_one_case_and_one_alert(blocked):
    assert blocked.ended.status == 3
    assert [case[:2] for case in blocked.cases] == [("sentiment", "open")]
    (alert,) = blocked.alerts
    assert alert["dag_id"] == "enrich_feedback"
    assert "sentiment set_aside_share" in alert["sentence"]


def test_a_gate_that_blocks_says_so_in_one_line_and_the_digest_and_report_are_made(blocked):
    (line,) = blocked.ended.err.splitlines()
    assert line.startswith("enrich_feedback.sentiment.validate: sentiment is not published")
    assert blocked.reported_at > 0


def test_what_was_blocked_is_not_published_and_all_else_is(blocked):
    assert blocked.models == {name: ["offline" if name == "sentiment" else "stand-in"] for name in QUESTIONS}


@pytest.fixture(scope="module")
def healthy(offline, blocked):
    """A review was edited meanwhile, and a person wants the blocked batch asked again."""
    decide(offline.home.warehouse, blocked.cases[0][2], "re_asked", "ada")
    offline.words.edit(5, "Now it works again.")
    return offline.run(**model(offline.service.base_url))


def test_an_answer_to_a_text_that_moved_stays_and_is_stale_until_the_new_one_is_published(blocked, healthy):
    assert blocked.stale == {name: int(name == "sentiment") for name in QUESTIONS}
    assert healthy.stale() == dict.fromkeys(QUESTIONS, 0)


@pytest.fixture(scope="module")
def asked(healthy):
    return dict(healthy.asked)


def test_only_what_moved_and_what_a_person_wanted_is_asked(healthy, asked):
    assert healthy.ended.status == 0
    assert len(asked.pop("sentiment")) == 70
    for name, texts in asked.items():
        (text,) = texts
        assert "Now it works again." in text, name


def test_what_is_replaced_goes_to_the_history(healthy):
    (run_id,) = healthy.home.rows("select run_id from ops.task_runs where task_id = 'ask' order by started_at desc")[0]
    found = healthy.home.rows(
        "select enrichment, count(*) from feedback.answers_history"
        f" where run_id = '{run_id}' and item_id like 'itunes:%:9000000005' group by enrichment"
    )
    assert dict(found) == dict.fromkeys(QUESTIONS, 1)


def test_every_answer_of_the_offline_model_is_replaced_by_the_real_ones(healthy):
    assert healthy.models() == {name: ["stand-in"] for name in QUESTIONS}
    assert healthy.home.rows("select count(*) from ops.answers where model = 'offline'") == [(0,)]


def test_the_incident_is_over_when_what_was_blocked_is_published(healthy):
    assert healthy.home.rows("select distinct state from ops.incidents") == [("recovered",)]


@pytest.fixture(scope="module")
def without_model(healthy, asked):
    before = published(healthy.home.data / "warehouse.duckdb")
    return healthy.run(), before


def test_without_its_connection_again_nothing_is_asked_and_no_real_answer_is_replaced(without_model):
    company, before = without_model
    assert company.ended.status == 0
    assert company.asked == {name: set() for name in QUESTIONS}
    assert published(company.home.data / "warehouse.duckdb") == before


# The same words where runs are killed, stopped and short of money


@pytest.fixture(scope="module")
def paid_service():
    with HTTPServer(host=own_address(), port=0, threaded=True) as server:
        yield StandIn(server)


@dataclass(frozen=True)
class Killed:
    home: Home
    service: StandIn
    variables: dict[str, str]
    refused: Ended
    winner: int
    asked: set[str]


@pytest.fixture(scope="module")
def killed(folder, paid_service):
    """Killed while Airflow's database is made, then two at once, then the one that works killed while it asks."""
    words = Words(folder / "paid words")
    words.say(3, "It got worse today.")
    words.edit(5, "Now it works again.")
    home = Home(folder / "paid", words)
    prices = folder / "prices.yaml"
    prices.write_text("models: {stand-in: {input: 10, output: 0}}")
    paid_service.tokens = (1000, 10)
    url = f"http://{paid_service._server.host}:{paid_service._server.port}/v1"
    variables = model(
        url,
        FEEDBACK_ALLOW_HTTP=paid_service._server.host,
        FEEDBACK_LLM_PRICES=str(prices),
        FEEDBACK_LLM_PACK="2",
        FEEDBACK_LLM_CONCURRENCY="2",
    )
    first = home.start(**variables)
    wait_until((home.path / "airflow-run" / "airflow.db").exists, first)
    kill(first)
    paid_service.poison = {" ": lambda body, rows: time.sleep(0.7)}
    two = [home.start(**variables), home.start(**variables)]
    while all(process.poll() is None for process in two):
        time.sleep(0.05)
    loser, winner = sorted(two, key=lambda process: process.poll() is None)
    refused = home.wait(loser)
    wait_until(lambda: len(paid_service.requests) > 8, winner)
    kill(winner)
    asked = {text for pack in paid_service.packs for text in pack}
    return Killed(home, paid_service, variables, refused, winner.pid, asked)


def kill(process) -> None:
    process.kill()
    process.communicate()


def test_of_two_first_runs_at_once_the_second_says_in_one_line_who_is_at_work(killed):
    assert killed.refused.status == 1
    assert killed.refused.out == ""
    assert killed.refused.err.startswith(f"another run is at work in {killed.home.path}: process {killed.winner} since")
    assert killed.refused.err.count("\n") == 1


@dataclass(frozen=True)
class Stopped:
    ended: Ended
    asked: list[str]
    calls: dict[str, int]


@pytest.fixture(scope="module")
def stopped(killed):
    seen = len(killed.service.requests)
    process = killed.home.start(**killed.variables)
    wait_until(lambda: len(killed.service.requests) >= seen + 3, process)
    process.send_signal(signal.SIGINT)
    ended = killed.home.wait(process)
    killed.service.poison = {}
    asked = [text for pack in killed.service.packs[seen:] for text in pack]
    return Stopped(ended, asked, last_calls(killed.home))


def last_calls(home: Home) -> dict[str, int]:
    return dict(
        home.rows(
            "select status, count(*) from ops.llm_calls"
            " where run_id = (select max(run_id) from ops.llm_calls) group by status"
        )
    )


def test_ctrl_c_ends_the_run_with_130_and_one_line(stopped):
    assert stopped.ended.status == 130
    assert stopped.ended.err == "stopped; what was paid and published is kept\n"


def test_ctrl_c_leaves_every_call_in_the_ledger(stopped):
    assert stopped.calls.pop("lost", 0) <= 2
    assert set(stopped.calls) == {"settled"}


@dataclass(frozen=True)
class Limited:
    ended: Ended
    asked: list[str]
    limit: float
    spent: float
    pending: int


@pytest.fixture(scope="module")
def limited(killed, stopped):
    if killed.service._server.host == "127.0.0.1":
        pytest.skip("this machine has no address but loopback, where nothing costs money")
    seen = len(killed.service.requests)
    held, cost = killed.home.rows(
        "select max(reserved_usd), max(cost_usd) from ops.llm_calls where status = 'settled'"
    )[0]
    limit = held + 2.5 * cost
    ended = killed.home.run(**killed.variables, FEEDBACK_LLM_BUDGET_USD=f"{limit:.4f}")
    asked = [text for pack in killed.service.packs[seen:] for text in pack]
    (spent,) = killed.home.rows(
        "select sum(cost_usd) from ops.llm_calls where run_id = (select max(run_id) from ops.llm_calls)"
    )[0]
    (pending,) = killed.home.rows("select count(*) from ops.answers where status = 'pending'")[0]
    return Limited(ended, asked, limit, spent, pending)


def test_a_budget_that_ends_is_exit_4_and_never_overspent(limited):
    assert limited.ended.status == 4
    assert limited.pending > 0
    assert 0 < limited.spent <= limited.limit
    assert f"{limited.pending} answers wait" in limited.ended.err


def test_what_was_paid_before_ctrl_c_is_not_asked_again_but_for_what_was_in_flight(stopped, limited, finished):
    again = set(stopped.asked) & {*limited.asked, *finished.asked}
    assert len(again) <= 2 * 2


@dataclass(frozen=True)
class Finished:
    ended: Ended
    asked: list[str]


@pytest.fixture(scope="module")
def finished(killed, limited):
    seen = len(killed.service.requests)
    ended = killed.home.run(**killed.variables)
    return Finished(ended, [text for pack in killed.service.packs[seen:] for text in pack])


def test_the_run_after_the_budget_goes_on_with_the_rest_alone(limited, finished):
    assert finished.ended.status == 0
    assert finished.asked
    assert not set(finished.asked) & set(limited.asked)


def test_what_was_paid_before_a_kill_is_not_paid_again_but_for_what_was_in_flight(killed, stopped, limited, finished):
    again = killed.asked & {*stopped.asked, *limited.asked, *finished.asked}
    assert len(killed.asked) > 2 * 2
    assert len(again) <= 2 * 2


def test_after_kills_stops_and_limits_the_tables_are_those_of_runs_that_nothing_disturbed(killed, finished, healthy):
    for table in ("items", *QUESTIONS):
        assert rows_of(killed.home, table) == rows_of(healthy.home, table), table


def rows_of(home: Home, table: str) -> list[str]:
    """The rows of a published table but for what is of a run."""
    rows = home.warehouse.rows(f"select * from feedback.{table}")
    assert rows
    return sorted(repr({name: value for name, value in row.items() if name not in OF_A_RUN}) for row in rows)
