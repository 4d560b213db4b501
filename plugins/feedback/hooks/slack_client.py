"""Slack's Web API as an Airflow connection says it: the provider's hook, and nothing that it would do unasked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feedback.address import refuse_in_the_clear
from feedback.errors import ConnectionMissing

if TYPE_CHECKING:
    from urllib.request import Request

    from slack_sdk import WebClient

TIMEOUT_S = 60


def slack_client(conn_id: str, allow_http: Sequence[str] = (), is_required: bool = True) -> WebClient | None:
    """Return the client of a connection of type ``slack``; it tries nothing again by itself.

    :param is_required: whether a connection that is missing is an error, or says that nothing is to be read.
    :raises ConnectionMissing: there is no such connection, or it has no token.
    :raises SettingError: the token would travel in the clear.
    """
    from airflow.providers.slack.hooks.slack import SlackHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        made = SlackHook(slack_conn_id=conn_id, timeout=TIMEOUT_S, retry_handlers=[], logger=_quiet()).client
    except AirflowNotFoundException:
        if not is_required:
            return None
        raise ConnectionMissing(
            f"connection {conn_id} is missing or has no password: set its password to the bot token of your Slack app"
            " (docs/slack.md)"
        ) from None
    refuse_in_the_clear(conn_id, made.base_url, made.BASE_URL, allow_http)
    return _keeping_its_token(made)


def _quiet() -> logging.Logger:
    """A logger that says nothing: at DEBUG slack_sdk writes whole answers, customers' words and all."""
    logger = logging.getLogger("feedback.slack_sdk")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _keeping_its_token(client: WebClient) -> WebClient:
    """Return the client, changed so that no redirect takes its token along."""
    send = client._perform_urllib_http_request_internal

    def without(url: str, req: Request) -> dict[str, Any]:
        req.add_unredirected_header("Authorization", req.headers.pop("Authorization"))
        return send(url, req)

    client._perform_urllib_http_request_internal = without  # type: ignore[method-assign]
    return client
