"""The public iTunes feed, where an Airflow connection may say that it is reached at another address."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import BaseHook

from feedback.address import refuse_in_the_clear
from feedback.hooks.connections import base_url, find
from feedback.sources.itunes_feed import APPLE, PACE_S
from feedback.sources.web import Web


class ItunesHook(BaseHook):
    """Opens the feed, which needs no key, and no connection either.

    :param itunes_conn_id: a connection of type ``http``, which need not be there: host is another base URL.
    :param allow_http: hosts that may be asked over plain http.
    """

    conn_name_attr = "itunes_conn_id"
    default_conn_name = "itunes_default"
    conn_type = "http"
    hook_name = "iTunes reviews feed"

    def __init__(self, itunes_conn_id: str = default_conn_name, allow_http: Sequence[str] = ()):
        super().__init__()
        self.itunes_conn_id = itunes_conn_id
        self.allow_http = allow_http

    def get_conn(self) -> Web:
        """Return the feed's service.

        :raises SettingError: it would be asked in the clear.
        """
        address = base_url(find(self.itunes_conn_id), APPLE)
        refuse_in_the_clear(self.itunes_conn_id, address, APPLE, self.allow_http)
        return Web(f"the iTunes feed at {address}", address, PACE_S)
