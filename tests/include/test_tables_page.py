"""docs/tables.md says what include/sql says, and its queries run."""

from __future__ import annotations

import argparse

import pytest

from include.cli import tables
from include.cli.ddl import relations

RELATIONS = relations()
EXAMPLES = [relation for relation in RELATIONS if relation.example]


def test_is_current():
    assert tables.main(argparse.Namespace(check=True)) == 0


def test_notices_that_it_is_not_current(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tables, "PAGE", tables.SQL.parents[1] / "docs" / "no such page.md")

    assert tables.main(argparse.Namespace(check=True)) == 1
    assert "python -m include.cli tables" in capsys.readouterr().out


def test_has_every_table_and_column_of_the_warehouse(warehouse):
    found = warehouse.rows(
        "select table_schema || '.' || table_name as name, column_name from information_schema.columns"
        " where table_schema in ('raw', 'feedback', 'staging', 'ops', 'marts')"
    )
    columns = {relation.name: {column.name for column in relation.columns} for relation in RELATIONS}
    described = {
        (relation.name, column)
        for relation in RELATIONS
        for column in columns[relation.name] | columns.get(relation.twin, set())
    }

    assert described == {(row["name"], row["column_name"]) for row in found}


@pytest.mark.parametrize("schema", ["raw", "feedback", "marts"])
def test_has_an_example_for_every_table_people_read(schema):
    assert [relation.name for relation in RELATIONS if relation.schema == schema and not relation.example] == []


def test_has_examples_that_run(warehouse):
    for relation in EXAMPLES:
        assert isinstance(warehouse.rows(relation.example), list), relation.name
