"""What our hooks read of Airflow's connections."""

from __future__ import annotations

from typing import Any

from feedback.errors import ConnectionMissing, SettingError


def find(conn_id: str) -> Any:
    """Return a connection; None where there is none."""
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None


def needed(conn_id: str, fields: str) -> Any:
    """Return a connection that a source cannot do without.

    :param fields: what has to be in it, for a person.
    :raises ConnectionMissing: there is none.
    """
    connection = find(conn_id)
    if connection is None:
        raise ConnectionMissing(f"connection {conn_id} is missing: make it with {fields}")
    return connection


def base_url(connection: Any, default: str) -> str:
    """Return the base URL of a connection: its host, which may be in pieces, as a connection of type http has it.

    :raises SettingError: it holds a login, which would be in every message about it.
    """
    host = connection.host if connection else None
    if not host:
        return default
    if "@" in host:
        raise SettingError(f"connection {connection.conn_id}: its host holds a login: leave it out")
    if "://" in host:
        return host
    return f"{connection.schema or 'https'}://{host}" + (f":{connection.port}" if connection.port else "")
