"""Which warehouse the settings choose."""

from __future__ import annotations

import pytest

from feedback.errors import SettingError
from include.settings import load
from include.warehouse import warehouse

EXPORT = {"FEEDBACK_SLACK_EXPORT": "/data/export.zip"}
SNOWFLAKE = {"FEEDBACK_WAREHOUSE": "snowflake", "FEEDBACK_HASH_SALT": "salt"}


def test_is_the_duckdb_file_that_is_configured(tmp_path):
    chosen = warehouse(load(EXPORT | {"FEEDBACK_DUCKDB_PATH": str(tmp_path / "w.duckdb")}))

    assert (chosen.engine, chosen.path) == ("duckdb", tmp_path / "w.duckdb")


def test_keeps_the_sample_in_a_home_of_its_own(tmp_path):
    chosen = warehouse(load({"FEEDBACK_HOME": str(tmp_path), "FEEDBACK_DUCKDB_PATH": str(tmp_path / "w.duckdb")}))

    assert chosen.path == tmp_path / "sample" / "warehouse.duckdb"


def test_is_the_snowflake_database_that_is_configured():
    chosen = warehouse(load(EXPORT | SNOWFLAKE | {"FEEDBACK_SNOWFLAKE_DATABASE": "VOICES"}))

    assert (chosen.engine, chosen.database, chosen.conn_id) == ("snowflake", "VOICES", "snowflake_default")


@pytest.mark.parametrize(
    ("environ", "named"),
    [(SNOWFLAKE, "FEEDBACK_SLACK_EXPORT"), (EXPORT | {"FEEDBACK_WAREHOUSE": "snowflake"}, "FEEDBACK_HASH_SALT")],
)
def test_names_the_variable_that_snowflake_lacks(environ, named):
    with pytest.raises(SettingError, match=named):
        warehouse(load(environ))
