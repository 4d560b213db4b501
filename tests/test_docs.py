"""What the documents tell people to type works, and what they name is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# What an administrator types into a Snowflake account once is no query on our tables.
QUERIED = [page for page in DOCS if page.name != "production.md"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def linked(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    return [target for target in found if "://" not in target]


SQL = [(page.name, sql) for page in QUERIED for sql in blocks(page, "sql")]


def test_there_is_sql_to_run():
    assert {page for page, _ in SQL} >= {"using.md", "operating.md"}


@pytest.mark.parametrize(("page", "sql"), SQL, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SQL)])
def test_every_query_of_the_documents_runs_and_is_snowflakes_too(warehouse, page, sql):
    from feedback.warehouse.sql_text import statements
    from include.cli.check_sql import parse

    for statement in statements(sql):
        assert not isinstance(parse(statement), str), parse(statement)
        warehouse.rows(statement)


@pytest.mark.parametrize("page", DOCS, ids=[page.relative_to(ROOT).as_posix() for page in DOCS])
def test_every_link_leads_somewhere(page):
    assert [target for target in linked(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=[page.relative_to(ROOT).as_posix() for page in DOCS])
def test_every_file_of_ours_that_is_named_is_there(page):
    named = re.findall(r"`((?:plugins|include|dags|tests|docs|benchmarks)/[\w./-]+\.\w+)`", page.read_text("utf-8"))

    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=[page.relative_to(ROOT).as_posix() for page in DOCS])
def test_every_make_target_that_is_named_is_one(page):
    from include.cli.__main__ import VERBS

    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = {
        *re.findall(r"^([a-z]+):", makefile, re.MULTILINE),
        *re.search(r"^VERBS := (.*)$", makefile, re.M)[1].split(),
    }
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE))

    assert named - targets == set()
    assert set(re.search(r"^VERBS := (.*)$", makefile, re.M)[1].split()) <= set(VERBS)


@pytest.mark.parametrize("page", DOCS, ids=[page.relative_to(ROOT).as_posix() for page in DOCS])
def test_every_call_of_a_verb_that_is_named_is_understood(page):
    from include.cli.__main__ import _parser

    for verb, arguments in re.findall(r'make ([a-z]+) ARGS=("[^"]*"|[^\s`]+)', page.read_text("utf-8")):
        assert _parser().parse_args([verb, *shlex.split(arguments.strip('"'))]).verb == verb


@pytest.mark.parametrize("page", DOCS, ids=[page.relative_to(ROOT).as_posix() for page in DOCS])
def test_every_variable_that_is_shown_being_set_is_read_as_it_stands(page):
    """A value with spaces needs quotes, for a shell as for the file that make reads."""
    for name, value in re.findall(r"^ *((?:FEEDBACK|AIRFLOW)_\w+)=(.*)$", page.read_text("utf-8"), re.MULTILINE):
        assert len(shlex.split(value, comments=True)) == 1, name
