"""The small verbs on a warehouse that holds something: each does its one thing and says what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append
from include.cli.__main__ import main
from tests.plugins.feedback.digest.seeded import seed

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
    told = capsys.readouterr().out
    assert "texts" in told
    assert "US$ 5 a run" in told
    before = warehouse.rows("select count(*) as n from ops.llm_calls")
    assert main(["plan", "--json"]) == 0
    owed = json.loads(capsys.readouterr().out)
    assert {"rows", "questions", "calls", "usd"} <= set(owed)
    assert warehouse.rows("select count(*) as n from ops.llm_calls") == before


def test_an_evaluation_counts_the_golden_answers_that_agree(home, warehouse, capsys):
    assert main(["eval"]) == 0
    assert "no golden answers" in capsys.readouterr().out
    (some,) = warehouse.rows("select item_id, label from feedback.sentiment order by item_id limit 1")
    golden = {"item_id": some["item_id"], "enrichment": "sentiment", "author": "ada", "added_at": datetime(2026, 11, 2)}
    append(warehouse, "ops.golden", [golden | {"answer": json.dumps(some["label"])}])
    assert main(["eval"]) == 0
    assert capsys.readouterr().out.startswith("sentiment: 1 of 1 agree (100%; at least")


def test_a_digest_is_written_once_a_day_unless_it_is_forced(home, warehouse):
    (newest,) = warehouse.rows("select max(last_activity_at) as t from feedback.items")
    day = f"--date {newest['t']:%Y-%m-%d}"
    first, again, forced = said(f"digest {day}", f"digest {day}", f"digest {day} --force")
    files = [line for line in first[1].splitlines() if line.endswith(".json")]
    assert files
    assert all(json.loads(Path(file).read_text())["blocks"] for file in files)
    assert "is written already" in again[1]
    assert [line for line in forced[1].splitlines() if line.endswith(".json")] == files


def test_a_report_prints_its_path(home):
    [[status, out, err]] = said("report")
    assert (status, err) == (0, "")
    page = Path(out.strip())
    assert page == home / "report" / "index.html"
    assert "default-src 'none'" in page.read_text()


def test_the_doctor_finds_all_well(home, capsys):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "ok       warehouse: duckdb" in told
    assert "offline model answers, which is not a language model" in told


def test_the_doctor_names_what_is_missing_and_goes_on_looking(home, monkeypatch, capsys):
    monkeypatch.setenv("FEEDBACK_SLACK_EXPORT", "/nowhere/export.zip")
    refusing = {"conn_type": "openai", "password": "key", "host": "http://127.0.0.1:9/v1"}
    monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(refusing))
    assert main(["doctor"]) == 1
    missing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("MISSING")]
    assert any("FEEDBACK_SLACK_EXPORT: /nowhere/export.zip is not there" in line for line in missing)
    assert any("nobody answers" in line for line in missing)
