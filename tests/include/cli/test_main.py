"""The command line: every verb helps at once, and whatever goes wrong is one line and a status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from include.cli import trouble
from include.cli.__main__ import VERBS, main

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {"airflow", "duckdb", "great_expectations", "numpy", "openai", "pandas", "pyarrow"}


@pytest.fixture
def cli(tmp_path):
    """Call the command line in a home of its own."""

    def called(*arguments, before="", **variables):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FEEDBACK_", "AIRFLOW"))}
        code = f"import sys; from include.cli.__main__ import main; {before}\nsys.exit(main(sys.argv[1:]))"
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            env={**clean, "FEEDBACK_HOME": str(tmp_path / "home"), **variables},
            capture_output=True,
            text=True,
            timeout=100,
        )

    return called


def test_help_of_every_verb_imports_nothing_heavy(cli):
    loop = """
import contextlib
for verb in (None, *__import__('include.cli.__main__').cli.__main__.VERBS):
    with contextlib.suppress(SystemExit):
        main([verb, '--help'] if verb else ['--help'])
print(sorted({name.split('.')[0] for name in sys.modules}))
sys.exit(0)"""
    done = cli(before=loop)

    *helps, modules = done.stdout.strip().splitlines()
    assert HEAVY & set(json.loads(modules.replace("'", '"'))) == set()
    assert sum(line.startswith("usage:") for line in helps) == len(VERBS) + 1


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("digest", "--date", "soon"), ("plan", "--nonsense"), ("ui", "--port", "99999")]
)
def test_what_no_verb_takes_is_refused_with_its_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m include.cli")


@pytest.mark.parametrize(
    ("verb", "variables", "said"),
    [
        ("run", {"FEEDBACK_LLM_MODE": "turbo"}, "FEEDBACK_LLM_MODE="),
        ("run", {"FEEDBACK_LLM_BUDGT_USD": "1"}, "FEEDBACK_LLM_BUDGT_USD is no variable of ours"),
        ("run", {"FEEDBACK_HOME": "/dev/null"}, "FEEDBACK_HOME=/dev/null cannot be written"),
        ("run", {"FEEDBACK_WAREHOUSE": "snowflake"}, "FEEDBACK_WAREHOUSE=snowflake needs a source"),
        ("run", {"AIRFLOW_CONN_OPENAI_DEFAULT": "{"}, "AIRFLOW_CONN_OPENAI_DEFAULT is no connection"),
        ("plan", {"FEEDBACK_LLM_PACK": "many"}, "FEEDBACK_LLM_PACK="),
        ("ui", {"FEEDBACK_LLM_MODE": "turbo"}, "FEEDBACK_LLM_MODE="),
    ],
)
def test_a_variable_that_cannot_be_used_is_one_line_before_anything_is_done(verb, variables, said, cli, tmp_path):
    done = cli(verb, **variables)

    [line] = done.stderr.splitlines()
    assert (done.returncode, line.startswith(said)) == (1, True), line
    assert not list((tmp_path / "home").glob("**/*.duckdb"))


def test_a_broken_env_file_is_one_line_that_names_it(cli, tmp_path):
    (tmp_path / ".env").write_text("FEEDBACK_LLM_PACK='20\n")

    done = cli("--env", str(tmp_path / ".env"), "plan")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{tmp_path / '.env'}, line 1" in done.stderr


def test_what_the_env_file_sets_is_used(cli, tmp_path):
    (tmp_path / ".env").write_text("FEEDBACK_LLM_MODE=turbo\n")

    assert "FEEDBACK_LLM_MODE='turbo'" in cli("--env", str(tmp_path / ".env"), "plan").stderr
    assert cli("--env", str(tmp_path / ".env"), "eval", FEEDBACK_LLM_MODE="offline").returncode == 0


def test_an_airflow_without_a_database_is_one_line_that_says_what_to_do(cli, tmp_path):
    done = cli("setup", AIRFLOW_HOME=str(tmp_path / "airflow"))

    assert done.returncode == 1
    assert "airflow db migrate" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("verb", ["plan", "eval"])
def test_what_is_for_programs_parses(verb, cli):
    done = cli(verb, "--json", FEEDBACK_LLM_MODE="offline")

    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


def test_an_unexpected_error_is_one_line_that_names_the_file_with_its_places_and_not_its_words(cli, tmp_path):
    broken = "import include.cli.eval as verb; verb.main = lambda options: {}['what a customer wrote']"
    done = cli("eval", before=broken)

    [log] = (tmp_path / "home/logs").iterdir()
    assert done.returncode == 1
    assert done.stderr == f"eval failed with KeyError, which should not happen; its traceback is in {log}\n"
    assert "KeyError" in log.read_text()
    assert "customer" not in done.stdout + done.stderr + log.read_text()


def test_a_reader_who_has_read_enough_is_no_trouble(monkeypatch, capsys):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())

    assert main(["review"]) == 1
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_named_whatever_broke_on_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FEEDBACK_HOME", str(tmp_path / "not" / "there"))
    monkeypatch.setattr(trouble, "ROOM_NEEDED", 2**62)

    said = trouble.line("run", RuntimeError("database or disk is full"))

    assert said.startswith(f"no room left on the device of {tmp_path / 'not' / 'there'}")


def test_a_traceback_goes_elsewhere_where_the_home_takes_none(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FEEDBACK_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert trouble.line("run", ValueError()).endswith(".log")
    assert len(list(tmp_path.glob("run-*.log"))) == 1
