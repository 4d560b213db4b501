"""Our SQL is Snowflake's, and the check that says so notices when it is not."""

from __future__ import annotations

import shutil

import pytest

from include.cli.check_sql import check_descriptions, check_python, check_scripts, main
from include.cli.ddl import SQL


@pytest.fixture
def sql(tmp_path):
    return shutil.copytree(SQL, tmp_path / "sql")


def test_all_sql_parses_and_every_table_is_described(capsys):
    assert (main(None), capsys.readouterr().out.count("\n")) == (0, 1)


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("create table ops.x (a varchar", "does not parse as Snowflake's"),
        ("frobnicate ops.x", "does not parse as Snowflake's"),
        ("vacuum ops.x", "no statement we know"),
        ("create table ops.x (start timestamp_ntz)", "`start` is a reserved word"),
        ("create view ops.x as select 1 as account", "`account` is a reserved word"),
    ],
)
def test_complains_about_a_script(sql, statement, complaint):
    (sql / "ddl/0099_new.sql").write_text(f"{statement};")

    [said] = check_scripts(sql)
    assert complaint in said
    assert said.startswith("0099_new.sql: ")


@pytest.mark.parametrize(
    ("ddl", "complaint"),
    [
        ("create table ops.x (\n    a varchar -- a letter\n);", "ops.x needs a sentence"),
        ("-- A thing.\n-- key: a\ncreate table ops.x (\n    a varchar -- a letter\n);", "ops.x needs a sentence"),
        (
            "-- A thing.\n-- key: a\n-- freshness: daily\ncreate table ops.x (\n    a varchar\n);",
            "ops.x.a needs a comment",
        ),
    ],
)
def test_complains_about_a_table_that_is_not_described(sql, ddl, complaint):
    (sql / "ddl/0099_new.sql").write_text(f"{ddl}\n")

    assert [complaint in said for said in check_descriptions(sql)] == [True]


def test_reads_the_statements_inside_python(tmp_path):
    source = [
        'GOOD = f"select {columns} from {table} where a = ?"',
        'PROSE = "select the rows you want"',
        'BAD = "select a from b where"',
        'ALSO_BAD = f"delete from {table} where (a = 1"',
        'RESERVED = "select a from ops.loads as sample where sample.a = 1"',
        'INDENTED = """\n    select a from {table} where (a = 1\n"""',
    ]
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/page.py").write_text("\n".join(source))

    assert [said.split(": ")[0] for said in check_python(tmp_path)] == [
        "plugins/page.py:3",
        "plugins/page.py:4",
        "plugins/page.py:5",
        "plugins/page.py:6",
    ]
