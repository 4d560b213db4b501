"""Calls to Slack, told apart by what is known of them afterwards: done, not done, or nobody knows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from socket import gaierror
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from feedback.errors import ConnectionMissing, SettingError

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.web import SlackResponse

OK, TOO_MANY = 200, 429
WAITS, MOST_PAUSE_S = 2, 20.0
"""Slack takes about a message a second in a channel. All waiting and calling stays below ``posting.AT_WORK``."""


class Unsaid(Exception):
    """A post was not sent, or nobody knows; its text is Slack's word for why."""


class Failed(Unsaid):
    """Slack failed at it, as it said itself; at another post it may not."""


class Unsent(Unsaid):
    """A post was not sent: Slack was not reached."""


class Refused(Unsent):
    """Slack, or what leads to it, said no before anything was posted."""


class Closed(Refused):
    """It said no to the channel or to the app, not to this one post."""


CLOSED = (
    *("ratelimited", "rate_limited", "not_in_channel", "channel_not_found", "is_archived", "restricted_action"),
    *("missing_scope", "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
)
"""Slack's words for that."""

PERHAPS = ("fatal_error", "internal_error", "service_unavailable", "request_timeout")
"""Its words for what it may have done all the same."""

WORD = re.compile(r"[a-z0-9_]+")


def called(method: Callable[..., SlackResponse], **params: Any) -> SlackResponse:
    """Call Slack; again only after it has said that it did nothing because it was too much just then.

    :raises Closed: Slack says no to the channel or the app, or that it is too much now.
    :raises Refused: Slack says no to this.
    :raises Failed: Slack failed at this, and may have done it.
    :raises Unsent: there is no way to Slack.
    :raises Unsaid: nobody knows what became of it.
    """
    from slack_sdk.errors import SlackApiError

    try:
        for _ in range(WAITS):
            try:
                return method(**params)
            except SlackApiError as error:
                if error.response.status_code != TOO_MANY:
                    raise
                time.sleep(_pause(error.response.headers))
        return method(**params)
    except SlackApiError as error:
        raise _why(error.response) from None
    except Exception as error:  # noqa: BLE001 - whatever urllib and ssl raise; its text might repeat a token
        cause = error.reason if isinstance(error, URLError) else error
        kind = Unsent if isinstance(cause, (ConnectionRefusedError, gaierror)) else Unsaid
        raise kind(type(cause).__name__) from None


def _why(answer: SlackResponse) -> Unsaid:
    """Return what an answer that is no success says; a page of something in between is never quoted."""
    if answer.status_code == TOO_MANY:
        return Closed("ratelimited")
    word = str(answer.get("error")) if isinstance(answer.data, dict) else ""
    if answer.status_code != OK or not WORD.fullmatch(word):
        return Unsaid(f"status {answer.status_code}")
    if word in PERHAPS:
        return Failed(word)
    return Closed(word) if word in CLOSED else Refused(word)


def _pause(headers: Mapping[str, str]) -> float:
    """Return how many seconds Slack asks to wait, within reason."""
    asked = {name.lower(): value for name, value in headers.items()}.get("retry-after", "1")
    return min(float(asked), MOST_PAUSE_S) if asked.isdigit() else 1.0


def may_post(client: Callable[[], WebClient], channel: str) -> str:
    """Return what stands in the way of posting to a channel, empty where nothing does. Nothing is posted."""
    try:
        slack = client()
        scopes = called(slack.auth_test).headers.get("x-oauth-scopes", "")
        if scopes and "chat:write" not in scopes.replace(" ", "").split(","):
            return "slack_api_default lacks the scope chat:write: add it and install the app again (docs/slack.md)"
        called(slack.conversations_history, channel=channel, limit=1)
    except (ConnectionMissing, SettingError) as reason:
        return str(reason)
    except Refused as reason:
        return f"Slack says {reason}: check the token, and type /invite @<app> in the channel (docs/slack.md)"
    except Unsaid as reason:
        return f"Slack is out of reach ({reason})"
    return ""
