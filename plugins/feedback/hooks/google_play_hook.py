"""The Play Developer API, as an Airflow connection says how to reach it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.log import mask_secret

from feedback.errors import ConnectionMissing
from feedback.hooks.connections import base_url, needed
from feedback.sources.google_play_client import GOOGLE, GooglePlayClient

FIELDS = "keyfile_dict in its extra: the JSON key of a service account"


class GooglePlayHook(BaseHook):
    """Opens the Play Developer API with a service account.

    :param google_play_conn_id: a connection of type ``http``: extra ``keyfile_dict`` is the service account's
        JSON key, as an object or as text; host is another base URL than Google's.
    :param allow_http: hosts that may be asked over plain http.
    """

    conn_name_attr = "google_play_conn_id"
    default_conn_name = "google_play_default"
    conn_type = "http"
    hook_name = "Google Play Developer API"

    def __init__(self, google_play_conn_id: str = default_conn_name, allow_http: Sequence[str] = ()):
        super().__init__()
        self.google_play_conn_id = google_play_conn_id
        self.allow_http = allow_http

    def get_conn(self) -> GooglePlayClient:
        """Return a client; its token is asked for with the first call.

        :raises ConnectionMissing: the connection is absent or incomplete, or its key is none.
        :raises SettingError: the key would travel in the clear.
        """
        connection = needed(self.google_play_conn_id, FIELDS)
        account = self._account(connection.extra_dejson.get("keyfile_dict"))
        mask_secret(account.get("private_key"))
        address = base_url(connection, GOOGLE)
        return GooglePlayClient(self.google_play_conn_id, account, address, self.allow_http)

    def _account(self, given: Any) -> dict[str, Any]:
        if isinstance(given, str):
            try:
                given = json.loads(given)
            except ValueError:
                given = None
        if not isinstance(given, dict) or not given:
            raise ConnectionMissing(f"connection {self.google_play_conn_id} is incomplete: it needs {FIELDS}")
        return given
