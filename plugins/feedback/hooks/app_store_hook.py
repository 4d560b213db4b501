"""App Store Connect, as an Airflow connection says how to reach it."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import BaseHook
from airflow.sdk.log import mask_secret

from feedback.address import refuse_in_the_clear
from feedback.errors import ConnectionMissing
from feedback.hooks.connections import base_url, needed
from feedback.sources.app_store_client import APPLE, AppStoreClient
from feedback.sources.app_store_key import Key

FIELDS = "login (key id), password (the .p8 private key) and, in its extra, issuer_id"


class AppStoreHook(BaseHook):
    """Opens App Store Connect with a team's key.

    :param app_store_conn_id: a connection of type ``http``: login is the key's id, password the ``.p8`` file,
        extra ``issuer_id``; host is another base URL than Apple's.
    :param allow_http: hosts that may be asked over plain http.
    """

    conn_name_attr = "app_store_conn_id"
    default_conn_name = "app_store_connect_default"
    conn_type = "http"
    hook_name = "App Store Connect"

    def __init__(self, app_store_conn_id: str = default_conn_name, allow_http: Sequence[str] = ()):
        super().__init__()
        self.app_store_conn_id = app_store_conn_id
        self.allow_http = allow_http

    def get_conn(self) -> AppStoreClient:
        """Return a client that has its first token.

        :raises ConnectionMissing: the connection is absent or incomplete, or its key is none.
        :raises SettingError: the key would travel in the clear.
        """
        conn_id = self.app_store_conn_id
        connection = needed(conn_id, FIELDS)
        issuer_id = connection.extra_dejson.get("issuer_id")
        for name, value in (("login", connection.login), ("password", connection.password), ("issuer_id", issuer_id)):
            if not value:
                raise ConnectionMissing(f"connection {conn_id} has no {name}: it needs {FIELDS}")
        pem = connection.password.replace("\\n", "\n").strip()  # as variables and forms carry it
        mask_secret(connection.password)
        mask_secret(pem)
        address = base_url(connection, APPLE)
        refuse_in_the_clear(conn_id, address, APPLE, self.allow_http)
        return AppStoreClient(Key(conn_id, connection.login, issuer_id, pem), address)
