"""Every engine behind one fixture: what is promised of a warehouse is promised of each."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
DDL = ROOT / "include/sql/ddl"
FAKE_ACCOUNT = {"conn_type": "snowflake", "login": "loader", "password": "password", "extra": {"account": "fakesnow"}}


def _duckdb(request, environment):
    from feedback.warehouse.duckdb import DuckDBWarehouse

    path = request.getfixturevalue("tmp_path_factory").mktemp("contract") / "warehouse.duckdb"
    shutil.copy(request.getfixturevalue("_migrated"), path)
    yield DuckDBWarehouse(path, DDL)


def _fakesnow(request, environment):
    import fakesnow

    from feedback.warehouse.snowflake import SnowflakeWarehouse

    environment.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps(FAKE_ACCOUNT))
    with fakesnow.patch():
        # Its engine cannot tell a database FEEDBACK from our schema of that name; Snowflake can.
        warehouse = SnowflakeWarehouse("snowflake_default", "FEEDBACK_TEST", DDL)
        warehouse.migrate()
        yield warehouse
        warehouse.close()


def _snowflake(request, environment):
    from feedback.warehouse.snowflake import SnowflakeWarehouse

    account = os.environ.get("FEEDBACK_TEST_SNOWFLAKE")
    if not account:
        pytest.skip("FEEDBACK_TEST_SNOWFLAKE holds no connection JSON of a real account")
    environment.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", account)
    warehouse = SnowflakeWarehouse("snowflake_default", json.loads(account)["extra"]["database"], DDL)
    warehouse.migrate()
    yield warehouse
    warehouse.close()


ENGINES = {"duckdb": _duckdb, "fakesnow": _fakesnow, "snowflake": _snowflake}


@pytest.fixture(scope="module", params=list(ENGINES))
def _engine(request):
    with pytest.MonkeyPatch.context() as environment:
        yield from ENGINES[request.param](request, environment)


@pytest.fixture(scope="module")
def _tables(_engine):
    found = _engine.rows(
        "select lower(table_schema) as s, lower(table_name) as t from information_schema.tables"
        " where lower(table_schema) in ('raw', 'feedback', 'staging', 'ops') and table_type = 'BASE TABLE'"
    )
    return [f"{table['s']}.{table['t']}" for table in found if table["t"] != "schema_version"]


@pytest.fixture
def store(_engine, _tables):
    """A migrated, empty warehouse of each engine in turn."""
    yield _engine
    _engine.transact([f"delete from {table}" for table in _tables])


@pytest.fixture
def refused():
    """What a refused statement raises: ours, or what fakesnow lets through of its own engine."""
    import duckdb

    from feedback.errors import WarehouseError

    return (WarehouseError, duckdb.Error)
