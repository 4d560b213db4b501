"""Where models are asked, as an Airflow connection says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feedback.errors import ConnectionMissing
from feedback.hooks.connections import find
from feedback.llm.asking import Asking
from feedback.llm.service import OPENAI_URL, Endpoint

if TYPE_CHECKING:
    from airflow.sdk import Connection


def model_endpoint(conn_id: str, engine: str, asking: Asking) -> Endpoint | None:
    """Return the service of a connection of type ``openai``; None where the offline model is to answer.

    :param engine: of the warehouse: only beside the embedded one does the offline model step in by itself.
    :raises ConnectionMissing: production has no connection, and nobody said that the offline model may answer.
    :raises SettingError: the key would travel in the clear.
    """
    if asking.mode == "offline":
        return None
    connection = find(conn_id)
    if connection is None or not (connection.host or connection.password):
        if engine == "snowflake":
            raise ConnectionMissing(
                f"connection {conn_id} is missing or empty: set its password to an API key, or set"
                " FEEDBACK_LLM_MODE=offline to let the offline model answer, which is not a language model"
            )
        return None
    return _endpoint(connection, conn_id, asking.allow_http)


async def endpoint_for_trigger(conn_id: str, allow_http: Sequence[str]) -> Endpoint:
    """Return the service of a connection that was there when a task deferred, as the triggerer may ask for it."""
    from airflow.sdk import BaseHook

    return _endpoint(await BaseHook.aget_connection(conn_id), conn_id, allow_http)


def _endpoint(connection: Connection, conn_id: str, allow_http: Sequence[str]) -> Endpoint:
    from airflow.sdk.log import mask_secret

    if connection.password:
        mask_secret(connection.password)
    return Endpoint(conn_id, connection.host or OPENAI_URL, connection.password or "", allow_http)
