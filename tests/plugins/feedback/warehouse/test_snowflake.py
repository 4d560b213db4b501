"""What the production warehouse says when it cannot be reached, entered or trusted. Promises: test_warehouse.py."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from feedback.errors import ConnectionMissing, CredentialRefused, ForeignSchema, ServiceUnreachable, WarehouseError
from feedback.warehouse.snowflake import SnowflakeWarehouse

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

DDL = Path(__file__).resolve().parents[4] / "include/sql/ddl"
ACCOUNT = {"conn_type": "snowflake", "login": "loader", "password": "password", "extra": {"account": "fakesnow"}}


@pytest.fixture
def warehouse(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps(ACCOUNT))
    warehouse = SnowflakeWarehouse("snowflake_default", "FEEDBACK_TEST", DDL)
    yield warehouse
    warehouse.close()


@pytest.fixture
def account():
    import fakesnow

    with fakesnow.patch():
        yield


def test_names_the_connection_that_is_missing(monkeypatch, warehouse):
    monkeypatch.delenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT")

    with pytest.raises(ConnectionMissing, match="connection snowflake_default is missing"):
        warehouse.rows("select 1 as a")


def test_names_the_connection_whose_key_is_no_key(monkeypatch, warehouse):
    broken = ACCOUNT | {"extra": {"account": "a", "private_key_content": "c2VjcmV0"}}
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps(broken))

    with pytest.raises(ConnectionMissing, match="connection snowflake_default is incomplete"):
        warehouse.rows("select 1 as a")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("ProgrammingError", ConnectionMissing),
        ("DatabaseError", CredentialRefused),
        ("ForbiddenError", CredentialRefused),
        ("OperationalError", ServiceUnreachable),
        ("HttpError", ServiceUnreachable),
    ],
)
def test_tells_a_refused_login_from_a_silent_network_and_repeats_no_secret(monkeypatch, warehouse, raised, told):
    from snowflake.connector import errors

    def connect(**parameters):
        raise getattr(errors, raised)(msg="user loader, password hunter2", errno=250001)

    monkeypatch.setattr("snowflake.connector.connect", connect)

    with pytest.raises(told, match="connection snowflake_default") as failed:
        warehouse.rows("select 1 as a")
    assert "hunter2" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_says_when_the_database_is_not_there_for_us(monkeypatch, warehouse):
    # Snowflake lets such a session in, without a current database; fakesnow would make the database.
    session = SimpleNamespace(database=None, close=lambda: None)
    monkeypatch.setattr("snowflake.connector.connect", lambda **parameters: session)

    with pytest.raises(WarehouseError, match="sees no database FEEDBACK_TEST"):
        warehouse.rows("select 1 as a")


def test_refuses_a_schema_that_is_somebody_elses(account, warehouse):
    warehouse.transact(["create schema marts", "create table marts.sales as select 1 as amount"])

    with pytest.raises(ForeignSchema, match="database FEEDBACK_TEST has a schema marts without our"):
        warehouse.migrate()
    assert warehouse.rows("select amount from marts.sales") == [{"amount": 1}]


def test_starts_a_new_session_after_one_that_broke(account, warehouse):
    assert warehouse.rows("select 1 as a") == [{"a": 1}]
    with pytest.raises(ZeroDivisionError), warehouse._session():
        raise ZeroDivisionError

    assert warehouse.rows("select 2 as a") == [{"a": 2}]


def test_points_to_snowflakes_own_copies_instead_of_a_file(warehouse, tmp_path):
    with pytest.raises(WarehouseError, match="create database FEEDBACK_TEST_backup clone FEEDBACK_TEST"):
        warehouse.backup(tmp_path / "copy")


def test_works_in_utc_beside_the_session_parameters_of_the_connection(monkeypatch, warehouse):
    seen = {}
    own = ACCOUNT["extra"] | {"session_parameters": {"QUERY_TAG": "feedback", "TIMEZONE": "America/Los_Angeles"}}
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps(ACCOUNT | {"extra": own}))
    session = SimpleNamespace(database=None, close=lambda: None)
    monkeypatch.setattr("snowflake.connector.connect", lambda **parameters: seen.update(parameters) or session)

    with pytest.raises(WarehouseError, match="sees no database"):
        warehouse.rows("select 1 as a")
    assert seen["session_parameters"] == {"QUERY_TAG": "feedback", "TIMEZONE": "UTC"}


def test_gives_decimals_as_plain_numbers(account, warehouse):
    [row] = warehouse.rows("select cast(1 as number(10, 2)) as a, cast(null as number(10, 2)) as b")

    assert (row, type(row["a"])) == ({"a": 1.0, "b": None}, float)


def test_drops_what_a_killed_session_left_behind(account, warehouse):
    warehouse.migrate()
    warehouse.transact(["create transient table staging.incoming_rows_0a1b (a varchar)"])

    warehouse.migrate()

    assert warehouse.rows("select table_name from information_schema.tables where table_name ilike 'incoming%'") == []
    assert warehouse.rows("select count(*) as n from staging.items") == [{"n": 0}]
