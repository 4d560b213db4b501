"""``make erase``: says what would go, does it only with --yes, and names what it cannot reach."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.slack_export import SlackExport
from include.cli.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
WORD = "zanzibarquux"


@pytest.fixture
def home(warehouse, tmp_path, monkeypatch):
    """A home whose warehouse holds two messages of one user and one of another."""
    folder = tmp_path / "export" / "general"
    folder.mkdir(parents=True)
    said = [
        {"type": "message", "user": user, "text": f"{WORD} {n}", "ts": f"175931280{n}.000001"}
        for n, user in enumerate(["U0ADA", "U0ADA", "U0BO"])
    ]
    (folder / "2025-10-01.json").write_text(json.dumps(said))
    extract = ExtractOperator(task_id="extract", source=SlackExport(tmp_path / "export"), warehouse=warehouse)
    extract.work(Run("run_1", "a_dag", "extract"), {})
    warehouse.backup(tmp_path / "backups" / "a.duckdb")
    monkeypatch.setenv("FEEDBACK_HOME", str(tmp_path))
    monkeypatch.setenv("FEEDBACK_SLACK_EXPORT", str(tmp_path / "export"))
    return tmp_path


def words(warehouse):
    return [row["text"] for row in warehouse.rows("select text from raw.slack_messages where text is not null")]


def test_without_yes_it_only_tells(home, warehouse, capsys):
    assert main(["erase", "--slack-user", "U0ADA"]) == 0

    told = capsys.readouterr().out
    assert "nothing has been touched" in told
    assert "raw.slack_messages                     2 rows" in told
    assert str(home / "backups" / "a.duckdb") in told
    assert f"FEEDBACK_SLACK_EXPORT={home / 'export'}" in told
    assert WORD not in told
    assert len(words(warehouse)) == 3
    assert warehouse.rows("select * from ops.tombstones") == []
    assert warehouse.rows("select * from staging.erasing") == []


def test_with_yes_it_is_done(home, warehouse, capsys):
    assert main(["erase", "--slack-user", "U0ADA", "--yes"]) == 0

    assert "erased:" in capsys.readouterr().out
    assert words(warehouse) == [f"{WORD} 2"]
    assert f"{WORD} 1".encode() not in warehouse.path.read_bytes()
    assert not (home / "backups" / "a.duckdb").exists()


def test_machines_can_read_it(home, capsys):
    main(["erase", "--slack-user", "U0ADA", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (told["is_done"], told["rows"]["raw.slack_messages"], len(told["files"])) == (False, 2, 1)


@pytest.mark.parametrize(
    ("who", "line"),
    [
        (["--slack-user", "@ada"], "--slack-user takes an id"),
        (["--author", "Ada"], "--author takes a source and a name"),
        (["--author-hash", "0" * 64], "nobody in raw has this author hash"),
    ],
)
def test_who_is_nobody_is_refused_in_one_line(home, capsys, who, line):
    assert main(["erase", *who]) == 1
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1


def test_what_the_command_line_makes_is_its_owners_alone(tmp_path):
    env = {**os.environ, "FEEDBACK_HOME": str(tmp_path / "home"), "FEEDBACK_ITUNES_PAGES": str(tmp_path)}
    command = [sys.executable, "-m", "include.cli", "erase", "--slack-user", "U0ADA"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, timeout=120)

    made = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert {path.name for path in made} >= {"home", "warehouse.duckdb"}
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
