"""How a schema moves forward, and what it refuses to move."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from feedback.errors import ForeignSchema, MigrationFailed, WarehouseError
from feedback.model import utc_now
from feedback.warehouse.duckdb import DuckDBWarehouse
from feedback.warehouse.merge import append
from feedback.warehouse.migrate import Script
from feedback.warehouse.sql_text import statements

ROOT = Path(__file__).resolve().parents[4]
SQL = ROOT / "include/sql"


@pytest.fixture
def sql(tmp_path):
    """A copy of our SQL that a test may add to."""
    return Path(shutil.copytree(SQL, tmp_path / "sql"))


@pytest.fixture
def old(sql, tmp_path):
    """A warehouse of this commit with a row in it; what a test adds to ``sql`` is a later commit."""
    warehouse = DuckDBWarehouse(tmp_path / "home" / "warehouse.duckdb", sql / "ddl")
    warehouse.migrate()
    warehouse.transact(
        ["insert into ops.tombstones select 'review', 'a', 'deleted', 'r', timestamp '2026-11-02 12:00:00'"]
    )
    return warehouse


def copies(warehouse):
    return list(warehouse.path.parent.glob("*.before-*"))


def test_makes_everything_in_an_empty_place(tmp_path):
    applied = DuckDBWarehouse(tmp_path / "warehouse.duckdb", SQL / "ddl").migrate()

    assert applied == [*sorted(file.name for file in (SQL / "ddl").glob("*.sql")), "views"]


def test_moves_an_older_schema_forward_and_keeps_its_rows_and_a_copy(old, sql):
    (sql / "ddl/0099_more.sql").write_text("alter table ops.tombstones add column note varchar; -- a; comment")

    assert old.migrate() == ["0099_more.sql", "views"]

    assert old.rows("select row_key, note from ops.tombstones") == [{"row_key": "a", "note": None}]
    [copy] = copies(old)
    assert copy.name.startswith("warehouse.duckdb.before-0099-2")
    before = DuckDBWarehouse(copy, sql / "ddl")
    assert before.rows("select * from ops.tombstones")[0].keys() >= {"row_key"}
    assert "note" not in before.rows("select * from ops.tombstones")[0]
    assert old.migrate() == []


def test_a_column_that_came_by_a_migration_can_be_written_at_once(old, sql):
    row = {"subject": "review", "row_key": "b", "reason": "deleted", "run_id": "r", "created_at": utc_now()}
    append(old, "ops.tombstones", [row])
    (sql / "ddl/0099_more.sql").write_text("alter table ops.tombstones add column note varchar")
    old.migrate()

    append(old, "ops.tombstones", [row | {"row_key": "c", "note": "new"}])

    assert old.rows("select note from ops.tombstones where row_key = 'c'") == [{"note": "new"}]


def test_takes_over_a_warehouse_from_before_migrations_were_remembered(old):
    old.transact(["delete from ops.schema_version"])

    assert old.migrate()[0] == "0000_schema_version.sql"
    assert old.rows("select row_key from ops.tombstones") == [{"row_key": "a"}]
    assert len(copies(old)) == 1


def test_leaves_the_schema_and_a_copy_when_a_migration_fails(old, sql):
    (sql / "ddl/0098_good.sql").write_text("alter table ops.tombstones add column note varchar;")
    (sql / "ddl/0099_bad.sql").write_text(
        "create table ops.a (b varchar); alter table ops.nothing add column c varchar;"
    )

    with pytest.raises(MigrationFailed) as failed:
        old.migrate()

    [copy] = copies(old)
    assert "0099_bad.sql" in str(failed.value)
    assert str(copy) in str(failed.value)
    assert "note" not in old.rows("select * from ops.tombstones")[0]
    (sql / "ddl/0099_bad.sql").unlink()
    assert old.migrate() == ["0098_good.sql", "views"]


def test_makes_views_again_when_their_text_moved_and_copies_nothing(old, sql):
    (sql / "views/9_extra.sql").write_text("drop view if exists marts.extra; create view marts.extra as select 1 as a;")

    assert old.migrate() == ["views"]
    assert old.rows("select * from marts.extra") == [{"a": 1}]
    assert copies(old) == []


def test_does_not_mind_comments_and_layout(old, sql):
    file = sql / "ddl/0001_raw.sql"
    file.write_text("-- another word\n" + file.read_text().replace("    ", "  "))

    assert old.migrate() == []


def test_refuses_a_warehouse_that_is_newer_than_the_code(old, sql):
    (sql / "ddl/0099_more.sql").write_text("create table ops.more (a varchar);")
    old.migrate()
    (sql / "ddl/0099_more.sql").unlink()

    with pytest.raises(WarehouseError, match=r"newer than this code, which has no 0099_more\.sql: update the code"):
        old.migrate()


def test_applies_what_a_file_gained_since(old, sql):
    with (sql / "ddl/0004_ops.sql").open("a") as file:
        file.write("create table if not exists ops.more (a varchar);")

    assert old.migrate() == ["0004_ops.sql", "views"]
    assert old.rows("select * from ops.more") == []
    assert old.rows("select row_key from ops.tombstones") == [{"row_key": "a"}]


def test_refuses_a_schema_that_is_somebody_elses(tmp_path):
    import duckdb

    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as theirs:
        theirs.execute("create schema marts; create table marts.sales as select 1 as a")

    with pytest.raises(ForeignSchema, match="has a schema marts without our"):
        DuckDBWarehouse(path, SQL / "ddl").migrate()
    assert DuckDBWarehouse(path, SQL / "ddl").rows("select * from marts.sales") == [{"a": 1}]


def _commits():
    """Every commit that changed the DDL, oldest first; none where there is no history to look into."""
    log = ["git", "-C", str(ROOT), "log", "--reverse", "--format=%H", "--", "include/sql/ddl", "include/sql/views"]
    try:
        return subprocess.run(log, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return []


def test_moves_the_schema_of_every_earlier_commit_forward_with_what_is_in_it(tmp_path, warehouse):
    commits = _commits()
    if not commits:
        pytest.skip("no history of include/sql here")
    tables = "select table_schema, table_name, column_name from information_schema.columns order by 1, 2, 3"
    for commit in commits:
        home = tmp_path / commit
        home.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", commit, "include/sql"], capture_output=True, check=True
        )
        subprocess.run(["tar", "-x", "-C", str(home)], input=archive.stdout, check=True)
        earlier = DuckDBWarehouse(home / "warehouse.duckdb", home / "include/sql/ddl")
        files = [*sorted(earlier.ddl.glob("*.sql")), *sorted((home / "include/sql/views").glob("*.sql"))]
        made = {file: tuple(statements(file.read_text())) for file in files}
        # The first commit made ops.schema_version last, so what remembers comes after everything that is made.
        remembered = [
            step for file in files if file.parent.name == "ddl" for step in Script(0, file.name, made[file]).steps[-2:]
        ]
        earlier.transact([step for steps in made.values() for step in steps] + remembered)
        earlier.transact(
            ["insert into ops.tombstones select 'review', 'a', 'deleted', 'r', timestamp '2026-11-02 12:00:00'"]
        )

        now = DuckDBWarehouse(earlier.path, SQL / "ddl")
        now.migrate()

        assert now.rows(tables) == warehouse.rows(tables), commit
        assert now.rows("select row_key from ops.tombstones") == [{"row_key": "a"}]
        assert now.migrate() == []
