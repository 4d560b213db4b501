"""The base URL of a service that may be sent a key: read from a connection, or refused in one line."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from feedback.errors import SettingError


def refuse_in_the_clear(conn_id: str, base_url: str, example: str, allow_http: Sequence[str] = ()) -> None:
    """Refuse what is no base URL, or would carry keys and customers' words in the clear.

    :param allow_http: hosts that may be asked over plain http; loopback always may.
    :raises SettingError: one line that names the connection.
    """
    address = urlsplit(base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise SettingError(f"connection {conn_id}: {base_url!r} is no base URL such as {example}")
    if address.scheme == "http" and not is_loopback(base_url) and address.hostname not in allow_http:
        raise SettingError(
            f"connection {conn_id}: {shown(base_url)} would carry the key and customers' words in the clear:"
            f" use https, or allow the host by name with FEEDBACK_ALLOW_HTTP={address.hostname}"
        )


def is_loopback(base_url: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(base_url: str) -> str:
    """Return a base URL without what somebody may have written before its host: a password."""
    parts = urlsplit(base_url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


REPORT_PAGE = "/plugin/feedback_report"
"""Where Airflow's UI shows the page that ``feedback_plugin`` registers."""
