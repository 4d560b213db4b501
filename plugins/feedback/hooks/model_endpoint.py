"""Where models are asked, as an Airflow connection says it."""

from __future__ import annotations

from feedback.errors import ConnectionMissing, SettingError
from feedback.hooks.connections import find
from feedback.llm.asking import Asking
from feedback.llm.service import OPENAI_URL, Endpoint


def model_endpoint(conn_id: str, engine: str, asking: Asking) -> Endpoint | None:
    """Return the service of a connection of type ``openai``; None where the offline model is to answer.

    :param engine: of the warehouse: only beside the embedded one does the offline model step in by itself.
    :raises ConnectionMissing: production has no connection, and nobody said that the offline model may answer.
    :raises SettingError: the key would travel in the clear, or the mode is not built.
    """
    if asking.mode == "batch":
        raise SettingError("FEEDBACK_LLM_MODE=batch is not built yet: set it to online or flex")
    if asking.mode == "offline":
        return None
    from airflow.sdk.log import mask_secret

    connection = find(conn_id)
    if connection is None or not (connection.host or connection.password):
        if engine == "snowflake":
            raise ConnectionMissing(
                f"connection {conn_id} is missing or empty: set its password to an API key, or set"
                " FEEDBACK_LLM_MODE=offline to let the offline model answer, which is not a language model"
            )
        return None
    if connection.password:
        mask_secret(connection.password)
    return Endpoint(conn_id, connection.host or OPENAI_URL, connection.password or "", asking.allow_http)
