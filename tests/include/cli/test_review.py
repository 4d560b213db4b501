"""What a gate stopped is listed, and a person's word on it is kept."""

from __future__ import annotations

import json

import pytest

from feedback.resolution.judging import is_requested
from feedback.warehouse.duckdb import DuckDBWarehouse
from include.cli.__main__ import main
from include.entities import MATCH
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
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "c1    sentiment  2026-11-02 12:00  answered_once, in run_1"
    assert '  make review ARGS="--accept <case>"  the next run of its Dag publishes it' in told


def test_tells_of_rows_that_are_gone_how_many_and_which_and_what_each_decision_does(stopped, capsys):
    stopped.transact(
        [
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) values"
            " ('c2', 'deletions of tickets', 'run_2', 'too_many_deleted', 'open', timestamp '2026-11-03 12:00:00')",
            "insert into staging.gone (source, target, row_key, item_id, is_kept, case_id, run_id, missed_at)"
            " select 'tickets', 'raw.texts', 'tickets|' || range || chr(27) || '[31m', 'i', range = 0, 'c2', 'run_2',"
            " timestamp '2026-11-03 12:00:00' from range(2000)",
        ]
    )
    assert main(["review"]) == 0
    told = capsys.readouterr().out
    [line] = [line for line in told.splitlines() if line.startswith("c2")]
    assert line.startswith("c2    deletions of tickets  2026-11-03 12:00  1,999 rows are gone there: tickets|1[31m, ")
    assert line.endswith(", …")
    assert "2 wait; decide each once:" in told
    assert "publishes it; the next run deletes them" in told

    assert main(["review", "--json"]) == 0
    batch, deletions = json.loads(capsys.readouterr().out)
    assert (batch["gone"], deletions["gone"], len(deletions["examples"])) == (0, 1999, 3)

    assert main(["review", "--drop", "c2", "--author", "ada"]) == 0
    assert capsys.readouterr().out == "c2 is dropped: they stay as they are\n"


@pytest.mark.parametrize(("option", "state"), [("accept", "accepted"), ("drop", "dropped"), ("re-ask", "re_asked")])
def test_keeps_a_decision_and_its_author(stopped, capsys, option, state):
    assert main(["review", f"--{option}", "c1", "--author", "ada"]) == 0

    assert stopped.rows("select state, author from ops.cases") == [{"state": state, "author": "ada"}]
    main(["review"])
    assert capsys.readouterr().out.endswith("nothing waits for a decision\n")


def test_refuses_a_case_that_does_not_wait_in_one_line(stopped, capsys):
    assert main(["review", "--accept", "c2"]) == 1
    assert capsys.readouterr().err == "no open case c2: see ops.cases for those that wait\n"


@pytest.fixture
def one_row(stopped):
    """A row that is set aside, beside the blocked batch."""
    from feedback.warehouse.merge import append

    evidence = '[{"item_id": "i", "label": "furious", "quote": "It broke\\u001b[31m", "is_grounded": true}]'
    row = {"subject": "sentiment", "row_key": "i", "rule": "label_known", "content_hash": "h", "prompt_version": "p"}
    row |= {"item_id": "i", "severity": "critical", "reason": "The model invented a label.", "status": "open"}
    append(stopped, "ops.quarantine", [row | {"evidence": evidence, "first_run_id": "r", "last_run_id": "r"}])
    return stopped


def test_rows_that_were_set_aside_are_listed_with_reason_and_evidence(one_row, capsys):
    assert main(["review", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)[1]
    assert (shown["rules"], shown["answer"]) == ("label_known", "furious · It broke[31m")
    assert main(["review"]) == 0
    told = capsys.readouterr().out
    assert f"{shown['id']}  sentiment  label_known: The model invented a label." in told
    assert "answer: furious" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        (["--accept"], ("released", None)),
        (["--answer", "negative", "--accept"], ("released", "negative")),
        (["--drop"], ("dropped", None)),
        (["--re-ask"], ("ask_again", None)),
    ],
)
def test_a_word_about_a_row_is_kept_with_its_author(one_row, capsys, words, decision):
    main(["review", "--json"])
    shown = json.loads(capsys.readouterr().out)[1]
    assert main(["review", "--author", "ada", *words, shown["id"]]) == 0
    (row,) = one_row.rows("select decision, answer, author from ops.decisions")
    assert tuple(row.values()) == (*decision, "ada")


def test_tells_of_names_that_look_like_one_thing_and_makes_them_one_where_a_person_says_so(stopped, capsys):
    stopped.transact(
        [
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) values"
            " ('n1', 'names of company', 'run_2', 'too_many_alike', 'open', timestamp '2026-11-03 12:00:00')",
            "insert into ops.case_names select 'n1', 'company', 'acme ' || range from range(60)",
        ]
    )
    assert main(["review"]) == 0
    told = capsys.readouterr().out
    [line] = [line for line in told.splitlines() if line.startswith("n1")]
    assert line.endswith(
        "too_many_alike, 60 names: " + ", ".join(f"acme {n}" for n in (0, 1, 10, 11, 12, 13, 14, 15)) + ", …"
    )
    assert "these names stay as they are" in told

    assert main(["review", "--accept", "n1", "--author", "Ada"]) == 0
    assert "the next run makes these names one for good" in capsys.readouterr().out
    overrides = stopped.rows("select distinct kind, norm, verdict, author from ops.entity_overrides")
    assert overrides == [{"kind": "company", "norm": "acme 0", "verdict": "must_link", "author": "Ada"}]
    assert stopped.rows("select count(distinct other_norm) as n from ops.entity_overrides")[0]["n"] == 59


@pytest.fixture
def two_names(stopped, tmp_path, monkeypatch):
    """A warehouse with one case about two names, and files of people's own."""
    stopped.transact(
        [
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) values"
            " ('n1', 'names of company', 'run_2', 'judged_the_same', 'open', timestamp '2026-11-03 12:00:00')",
            "insert into ops.case_names values ('n1', 'company', 'acme'), ('n1', 'company', 'apex')",
        ]
    )
    for name in ("catalog", "overrides"):
        (tmp_path / f"{name}.yaml").touch()
        monkeypatch.setattr(f"include.entities.{name.upper()}", tmp_path / f"{name}.yaml")
    return stopped


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "catalog.yaml",
            "- {name: Acme, kind: company}\n- {name: Apex, kind: company}\n",
            "accepting case n1 makes one of two entries of the catalog, line 1 ('Acme') and line 2 ('Apex')",
        ),
        (
            "overrides.yaml",
            "- {kind: company, different: [Acme, Apex], author: Bob}\n",
            "overrides.yaml line 1 keeps 'acme' and 'apex' apart",
        ),
    ],
)
def test_names_that_people_keep_apart_are_not_made_one_and_their_case_stays_open(
    two_names, tmp_path, capsys, file, text, told
):
    (tmp_path / file).write_text(text)
    assert main(["review", "--accept", "n1", "--author", "Ada"]) == 1

    error = capsys.readouterr().err
    assert error.startswith("n1 stays open: ")
    assert told in error
    assert error.count("\n") == 1
    assert two_names.rows("select state from ops.cases where case_id = 'n1'") == [{"state": "open"}]
    assert two_names.rows("select * from ops.entity_overrides") == []

    (tmp_path / file).write_text("")
    assert main(["review", "--accept", "n1", "--author", "Ada"]) == 0


@pytest.mark.parametrize(
    ("model", "version", "overrides", "is_asked"),
    [
        ("offline", MATCH.prompt_version, "", True),
        ("gpt", "an earlier one", "", True),
        ("gpt", MATCH.prompt_version, "", False),
        ("offline", "an earlier one", "- {kind: company, different: [Acme, Apex], author: Bob}", False),
    ],
)
def test_names_are_asked_about_again_only_where_there_is_something_to_ask(
    two_names, tmp_path, capsys, model, version, overrides, is_asked
):
    (tmp_path / "overrides.yaml").write_text(overrides)
    two_names.transact(
        [
            (
                "insert into ops.entity_decisions (decision_id, kind, norm, candidate, verdict, decided_by, model,"
                " prompt_version, run_id, decided_at) values ('d1', 'company', 'acme', 'apex', 'same', 'llm', ?, ?,"
                " 'run_1', timestamp '2026-11-02 12:00:00')",
                (model, version),
            )
        ]
    )
    assert main(["review", "--re-ask", "n1", "--author", "Ada"]) == (0 if is_asked else 1)

    error = capsys.readouterr().err
    assert error.startswith("n1 stays open: ") is not is_asked
    assert error.count("\n") == (not is_asked)
    [case] = two_names.rows("select state, prompt_version from ops.cases where case_id = 'n1'")
    asked = {"state": "re_asked", "prompt_version": MATCH.prompt_version}
    assert case == (asked if is_asked else {"state": "open", "prompt_version": None})


def test_a_person_may_have_names_judged_again(stopped, capsys):
    assert main(["review", "--re-judge", "--author", "Ada"]) == 0
    assert "judges them again" in capsys.readouterr().out
    [case] = stopped.rows("select * from ops.cases where rules = 're_judge'")
    assert (case["state"], case["author"], case["subject"]) == ("re_asked", "Ada", "names of every kind")
    assert case["prompt_version"] == MATCH.prompt_version
    assert is_requested(stopped)
