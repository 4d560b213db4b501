"""The small verbs on a warehouse that holds something: each does its one thing and says what it did."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append
from include.approved import LEAST
from include.cli.__main__ import main
from tests.plugins.feedback.digest.seeded import seed
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn
from tests.plugins.feedback.llm.stand_in import StandIn
from tests.plugins.feedback.notifications.slack_channel import served

ROOT = Path(__file__).resolve().parents[3]
SAYS = """
import contextlib, io, json, sys
from include.cli.__main__ import main

said = []
for line in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(line.split())
    said.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""


@pytest.fixture
def home(warehouse, monkeypatch):
    """A home whose warehouse holds six weeks of words and answers."""
    seed(warehouse)
    monkeypatch.setenv("FEEDBACK_HOME", str(warehouse.path.parent))
    monkeypatch.setenv("FEEDBACK_ITUNES_PAGES", str(ROOT / "tests/fixtures/itunes"))
    return warehouse.path.parent


def said(*lines):
    """Call verbs one after another in a process of their own, as their settings are read once."""
    done = subprocess.run(
        [sys.executable, "-c", SAYS, json.dumps(lines)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_backup_opens_and_holds_what_the_warehouse_holds(home, warehouse, capsys):
    assert main(["backup"]) == 0
    copy = Path(capsys.readouterr().out.strip())
    assert copy.parent == home / "backups"
    query = "select item_id, text from feedback.items order by item_id"
    assert DuckDBWarehouse(copy, warehouse.ddl).rows(query) == warehouse.rows(query)


def test_a_backup_overwrites_nothing(home, tmp_path, capsys):
    there = tmp_path / "mine.duckdb"
    there.write_text("mine")
    assert main(["backup", "--to", str(there)]) == 1
    assert f"{there} exists already" in capsys.readouterr().err
    assert there.read_text() == "mine"


def test_a_plan_says_what_is_owed_and_the_limits_and_asks_nothing(home, warehouse, capsys):
    assert main(["plan"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told if line][:2] == ["to", "itunes_pages"]
    assert told[-1] == "limits: US$ 5 a run, US$ 20 a UTC day"
    before = warehouse.rows("select count(*) as n from ops.llm_calls")
    assert main(["plan", "--json"]) == 0
    owed = json.loads(capsys.readouterr().out)
    assert {"rows", "questions", "calls", "usd"} <= set(owed)
    assert owed["sources"]["itunes_pages"]["calls"] == 0
    assert warehouse.rows("select count(*) as n from ops.llm_calls") == before


def test_a_plan_counts_the_questions_about_names_that_wait_and_asks_none(home, warehouse, capsys):
    (known,) = warehouse.rows("select * from feedback.mentions order by mention_id limit 1")
    new = {"mention_id": "m-new", "kind": "product", "surface": "Wickerbee Prime", "norm": "wickerbee prime"}
    append(warehouse, "feedback.mentions", [known | new])
    before = warehouse.rows("select count(*) as n from ops.llm_calls")
    assert main(["plan", "--json"]) == 0
    names = json.loads(capsys.readouterr().out)["names"]
    assert (names["rows"], names["questions"]) == (1, 1)
    assert min(names["calls"], names["input_tokens"], names["output_tokens"]) > 0
    assert main(["plan"]) == 0
    assert re.search(r"^about names +1 +1 +1 ", capsys.readouterr().out, re.MULTILINE)
    assert warehouse.rows("select count(*) as n from ops.llm_calls") == before
    assert warehouse.rows("select 1 as found from feedback.entity_names where norm = 'wickerbee prime'") == []
    warehouse.transact(["delete from feedback.mentions where mention_id = 'm-new'"])


def test_an_evaluation_counts_the_golden_answers_that_agree(home, warehouse, capsys):
    assert main(["eval"]) == 0
    assert "no golden answers" in capsys.readouterr().out
    (some,) = warehouse.rows("select item_id, label from feedback.sentiment order by item_id limit 1")
    golden = {"item_id": some["item_id"], "enrichment": "sentiment", "author": "ada", "added_at": datetime(2026, 11, 2)}
    append(warehouse, "ops.golden", [golden | {"answer": json.dumps(some["label"])}])
    assert main(["eval"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^sentiment +1 +100% \[21%, 100%\] .* 0 +0 +0  reports only$", told, re.MULTILINE)
    assert "not a language model" in told


def test_an_evaluation_says_by_its_status_that_the_gate_would_block(home, warehouse, monkeypatch, capsys):
    some = warehouse.rows("select item_id from feedback.sentiment order by item_id limit 50")
    golden = {"enrichment": "sentiment", "author": "ada", "answer": '"no such label"', "added_at": datetime.now()}
    append(warehouse, "ops.golden", [golden | row for row in some[:49]])
    monkeypatch.setitem(LEAST["sentiment"], "offline", 0.8)
    assert main(["eval"]) == 0  # so few decide nothing
    append(warehouse, "ops.golden", [golden | some[49]])
    assert main(["eval"]) == 3
    assert "blocks: 0%, at least 80%" in capsys.readouterr().out
    purposes = "select distinct purpose from ops.llm_calls where dag_id = 'eval'"
    assert warehouse.rows(purposes) == [{"purpose": "golden"}]


def test_a_digest_is_written_once_a_day_unless_it_is_forced(home, warehouse):
    (newest,) = warehouse.rows("select max(last_activity_at) as t from feedback.items")
    day = f"--date {newest['t']:%Y-%m-%d}"
    first, again, forced = said(f"digest {day}", f"digest {day}", f"digest {day} --force")
    files = [line for line in first[1].splitlines() if line.endswith(".json")]
    assert files
    assert all(json.loads(Path(file).read_text())["blocks"] for file in files)
    assert "is written already" in again[1]
    assert [line for line in forced[1].splitlines() if line.endswith(".json")] == files


@pytest.mark.parametrize("verb", ["plan", "doctor", "review", "eval", "digest"])
def test_what_a_verb_tells_is_machine_readable_too(home, verb, capsys):
    assert main([verb, "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), (dict, list))


def test_a_report_prints_its_path(home):
    [[status, out, err]] = said("report")
    assert (status, err) == (0, "")
    page = Path(out.strip())
    assert page == home / "report" / "index.html"
    assert "default-src 'none'" in page.read_text()


def test_the_doctor_finds_all_well(home, capsys):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert re.search("^ok +warehouse +duckdb ", told, re.MULTILINE)
    assert re.search("^ok +itunes_pages +.*/fixtures/itunes, [0-9]+ .json files$", told, re.MULTILINE)
    assert "offline model answers, which is not a language model" in told
    assert told.endswith("\n\nnothing is missing\n")


def test_the_doctor_tells_whether_digests_and_alerts_can_be_posted(home, monkeypatch):
    monkeypatch.setenv("FEEDBACK_DIGEST_CHANNEL", "C1")
    monkeypatch.setenv("FEEDBACK_ALERT_CHANNEL", "C2")
    [[_, out, _]] = said("doctor")
    assert re.search("^MISSING +C1 +connection slack_api_default is missing", out, re.MULTILINE)
    with served() as channel:
        slack = {"conn_type": "slack", "password": "xoxb-s3cret", "extra": {"base_url": channel.base_url}}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_API_DEFAULT", json.dumps(slack))
        channel.closed = {"C2"}
        [[_, out, err]] = said("doctor")
        assert channel.messages == []
    assert re.search("^ok +C1 +digests and alerts can be posted there$", out, re.MULTILINE)
    assert re.search("^MISSING +C2 +Slack says not_in_channel", out, re.MULTILINE)
    assert "xoxb" not in out + err


def test_todays_digest_is_posted_once_and_an_earlier_one_never(home, warehouse, monkeypatch):
    monkeypatch.setenv("FEEDBACK_DIGEST_CHANNEL", "C1")
    with served() as channel:
        slack = {"conn_type": "slack", "password": "xoxb-s3cret", "extra": {"base_url": channel.base_url}}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_API_DEFAULT", json.dumps(slack))
        earlier, first, again = said("digest --date 2026-10-20", "digest", "digest --json")
        posted = warehouse.rows("select count(*) as n from ops.posts where status = 'posted'")[0]["n"]
        assert len(channel.messages) == posted > 0
    assert "posted to Slack" not in earlier[1]
    assert f"{posted} posted to Slack" in first[1]
    assert json.loads(again[1])["posted"] == 0


def test_the_doctor_names_what_is_missing_and_goes_on_looking(home, monkeypatch, capsys):
    monkeypatch.setenv("FEEDBACK_SLACK_EXPORT", "/nowhere/export.zip")
    monkeypatch.setenv("FEEDBACK_APP_STORE_APPS", "1234567890")
    refusing = {"conn_type": "openai", "password": "key", "host": "http://127.0.0.1:9/v1"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(refusing))
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    missing = [line for line in told.splitlines() if line.startswith("MISSING")]
    assert any("/nowhere/export.zip does not exist: correct FEEDBACK_SLACK_EXPORT" in line for line in missing)
    assert any("app_store_connect_default is missing: make it with" in line for line in missing)
    assert any("nobody answers" in line for line in missing)
    assert told.endswith("\n3 things are missing\n")

    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["missing"] == 3
    assert {"mark", "what", "line"} == set(found["findings"][0])
    assert {one["mark"] for one in found["findings"]} == {"ok", "MISSING", "note"}


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_the_doctor_prints_no_secret_wherever_somebody_wrote_it(home, monkeypatch, capsys, as_json):
    connections = {
        "OPENAI": {"conn_type": "openai", "password": "s3cret", "host": "http://me:s3cret@127.0.0.1:9/v1"},
        "SLACK_API": {"conn_type": "slack", "password": "xoxb-s3cret", "extra": {"base_url": "http://127.0.0.1:9/"}},
        "APP_STORE_CONNECT": {"conn_type": "http", "login": "K", "password": "s3cret", "extra": {"issuer_id": "I"}},
        "GOOGLE_PLAY": {"conn_type": "http", "extra": {"keyfile_dict": {"private_key": "s3cret"}}},
    }
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("FEEDBACK_HASH_SALT", "s3cret")
    monkeypatch.setenv("FEEDBACK_APP_STORE_APPS", "1234567890")
    monkeypatch.setenv("FEEDBACK_GOOGLE_PLAY_APPS", "com.example.app")

    main(["doctor", *as_json])

    told = "".join(capsys.readouterr())
    assert {"openai_default", "app_store", "google_play"} <= set(re.findall(r"\w+", told))
    assert "s3cret" not in told


def test_a_look_that_breaks_does_not_end_the_others(home, monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("a customer's word")

    monkeypatch.setattr("feedback.sources.itunes_pages.ItunesPages.examine", broken)

    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert re.search("^MISSING +itunes_pages +doctor failed with ZeroDivisionError", told, re.MULTILINE)
    assert "a customer's word" not in told
    assert told.endswith("\n1 thing is missing\n")


@pytest.mark.parametrize("verb", ["plan", "doctor", "review", "run"])
def test_the_help_says_what_each_exit_status_means(verb, capsys):
    with pytest.raises(SystemExit):
        main([verb, "--help"])

    assert re.search(r"exit\s+status: 0 ", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("has_batches", "says"), [(True, "it has a Batch API"), (False, "FEEDBACK_LLM_MODE to online")]
)
def test_the_doctor_says_whether_there_is_a_batch_api_and_which_batch_is_out(
    home, warehouse, monkeypatch, capsys, has_batches, says
):
    batch = {"intent_id": "i", "dag_id": "d", "task_id": "t", "run_id": "r", "base_url": "u", "model": "m"}
    batch |= {"fingerprint": "f", "status": "submitted", "batch_id": "batch-7", "request_count": 1200, "row_count": 1}
    batch |= {"input_tokens": 1, "left_out": 0, "reserved_usd": 0, "created_at": datetime(2026, 11, 2)}
    append(warehouse, "ops.llm_batches", [batch])
    with HTTPServer(host="127.0.0.1", port=0) as server:
        service = BatchStandIn(server) if has_batches else StandIn(server)
        monkeypatch.setenv("FEEDBACK_LLM_MODE", "batch")
        connection = {"conn_type": "openai", "password": "key", "host": service.base_url}
        monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
        server.expect_request("/v1/batches").respond_with_data("", 404)

        assert main(["doctor"]) == (0 if has_batches else 1)

    told = capsys.readouterr().out
    assert says in told
    assert re.search("note +batch-7 +out since 2026-11-02 00:00 UTC, 1,200 requests", told)
