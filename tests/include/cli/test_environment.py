"""An Airflow of our own: what a killed start leaves of its metadata database."""

from __future__ import annotations

import sqlite3

import pytest

from include.cli.environment import drop_half_made, is_migrated, note_migrated


def database(folder, *statements):
    with sqlite3.connect(folder / "airflow.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "left",
    [(), ("create table dag (dag_id text)",), ("create table alembic_version (version_num text)",)],
    ids=["an empty file", "some tables", "all tables, not stamped"],
)
def test_a_metadata_database_whose_making_was_killed_is_made_anew(tmp_path, left):
    database(tmp_path, *left)
    (tmp_path / "airflow.db-journal").write_bytes(b"half a journal")
    (tmp_path / "logs").mkdir()

    drop_half_made(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_what_is_no_database_is_made_anew(tmp_path):
    (tmp_path / "airflow.db").write_text("not a database, but long enough to be looked at as one" * 20)

    drop_half_made(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_finished_metadata_database_stays(tmp_path):
    database(tmp_path, "create table alembic_version (version_num text)", "insert into alembic_version values ('a')")
    before = (tmp_path / "airflow.db").read_bytes()

    drop_half_made(tmp_path)

    assert (tmp_path / "airflow.db").read_bytes() == before


def test_a_first_start_has_nothing_to_drop(tmp_path):
    drop_half_made(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_database_is_migrated_again_by_another_airflow_and_when_it_is_gone(tmp_path, monkeypatch):
    database(tmp_path, "create table dag (dag_id text)")
    assert not is_migrated(tmp_path)

    note_migrated(tmp_path)
    assert is_migrated(tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr("include.cli.environment.version", lambda package: "99")
        assert not is_migrated(tmp_path)
    drop_half_made(tmp_path)
    assert not is_migrated(tmp_path)
