"""Connections as variables: Airflow passes over one that it cannot read as if it were not set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from feedback.errors import SettingError

CONNECTIONS = (
    "OPENAI_DEFAULT",
    "SLACK_API_DEFAULT",
    "APP_STORE_CONNECT_DEFAULT",
    "GOOGLE_PLAY_DEFAULT",
    "ITUNES_DEFAULT",
    "SNOWFLAKE_DEFAULT",
)
FIELDS = {"conn_type", "description", "host", "login", "password", "port", "schema", "extra"}


def refuse_broken_connections(given: Mapping[str, str]) -> None:
    """Refuse a connection of ours that Airflow could not read: without it the offline model would step in.

    :raises SettingError: one line that names the variable, and nothing of what it holds.
    """
    for name in CONNECTIONS:
        variable = f"AIRFLOW_CONN_{name}"
        if (value := given.get(variable, "").strip()) and not _is_connection(value):
            raise SettingError(
                f"{variable} is no connection: write it as JSON with the fields"
                f" {', '.join(sorted(FIELDS))}, as .env.example does, or unset it"
            )


def _is_connection(value: str) -> bool:
    """Whether Airflow can read it: JSON, or a URI."""
    try:
        if not value.startswith("{"):
            address = urlsplit(value)
            return "://" in value and bool(address.scheme) and (address.port or 0) >= 0
        fields = json.loads(value)
        int(fields.get("port") or 0)
    except (ValueError, TypeError):
        return False
    return not set(fields) - FIELDS
