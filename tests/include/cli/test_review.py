"""What a gate stopped is listed, and a person's word on it is kept."""

from __future__ import annotations

import pytest

from feedback.warehouse.duckdb import DuckDBWarehouse
from include.cli.__main__ import main
from include.warehouse import DDL


@pytest.fixture
def stopped(tmp_path, monkeypatch, _migrated):
    """A warehouse with one blocked batch, which the settings name."""
    import shutil

    shutil.copy(_migrated, tmp_path / "warehouse.duckdb")
    monkeypatch.setenv("FEEDBACK_HOME", str(tmp_path))
    monkeypatch.setenv("FEEDBACK_ITUNES_PAGES", str(tmp_path))
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb", DDL)
    warehouse.transact(
        [
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at)"
            " values ('c1', 'sentiment', 'run_1', 'answered_once', 'open', timestamp '2026-11-02 12:00:00')"
        ]
    )
    return warehouse


def test_lists_what_waits(stopped, capsys):
    assert main(["review"]) == 0
    assert capsys.readouterr().out == "c1  sentiment of run_1, 2026-11-02 12:00: answered_once\n"


@pytest.mark.parametrize(("option", "state"), [("accept", "accepted"), ("drop", "dropped"), ("re-ask", "re_asked")])
def test_keeps_a_decision_and_its_author(stopped, capsys, option, state):
    assert main(["review", f"--{option}", "c1", "--author", "ada"]) == 0

    assert stopped.rows("select state, author from ops.cases") == [{"state": state, "author": "ada"}]
    main(["review"])
    assert capsys.readouterr().out.endswith("no batch waits for a decision\n")


def test_refuses_a_case_that_does_not_wait_in_one_line(stopped, capsys):
    assert main(["review", "--accept", "c2"]) == 1
    assert capsys.readouterr().err == "no open case c2: see ops.cases for those that wait\n"
