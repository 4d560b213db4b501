"""Calls of Slack's Web API: paced, tried again where that may help, and refused in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from feedback.errors import CredentialRefused, FeedbackError, ServiceUnreachable
from feedback.sources.slack_api.pace import Pace
from feedback.sources.slack_api.throttle import ThrottledApp

if TYPE_CHECKING:
    from slack_sdk import WebClient

ATTEMPTS, SEEN_ATTEMPTS = 6, 2
"""How often a call is tried that fails in passing: in a run, and while a person waits for the answer."""

LONGEST_BACKOFF_S = 30
UNSAID_RETRY_AFTER_S = 30.0
CODE = re.compile(r"[a-z0-9_]{1,60}")

PASSING = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "rate_limited"})
"""What Slack says inside a 200 when it is in trouble itself."""
REMEDIES = {
    "invalid_auth": "set its password to the bot token of your app, which begins with xoxb-",
    "not_authed": "set its password to the bot token of your app, which begins with xoxb-",
    "account_inactive": "the app's bot was removed; install the app again and set the new token",
    "token_revoked": "the token was revoked; install the app again and set the new token",
    "token_expired": "the token has expired; turn token rotation off in the app, install it again, set the new token",
    "not_allowed_token_type": "set its password to a bot token, which begins with xoxb-",
    "team_access_not_granted": "the app is not approved for this workspace; ask its owner",
    "org_login_required": "the workspace is being moved into an organisation; install the app again afterwards",
    "ekm_access_denied": "the workspace's owner has suspended access by key management; ask them",
}
"""Refusals of the token: the same call fails the same way until a person has acted."""


class Refused(FeedbackError):
    """Slack refused one call and not the token: of a channel or thread that cannot be read.

    :param code: Slack's word.
    """

    def __init__(self, method: str, code: str):
        super().__init__(f"Slack refused {method} ({code})")
        self.code = code


class _Fault(ServiceUnreachable):
    """An answer that the same call may better a little later."""


class Calls:
    """One workspace's API as one connection reaches it, one call at a time.

    :param client: made without retry handlers: those of slack_sdk sleep without end, do not know the
        limits of the other calls, and leave alone what is refused inside a 200.
    :param conn_id: the connection that errors name.
    """

    def __init__(self, client: WebClient, pace: Pace, conn_id: str, attempts: int = ATTEMPTS):
        self.client, self.pace, self.conn_id, self.attempts = client, pace, conn_id, attempts
        self.scopes: frozenset[str] = frozenset()
        self._throttled = ThrottledApp(conn_id)

    def __call__(self, method: str, **params: Any) -> Mapping[str, Any]:
        """Return what Slack answers.

        :raises OutOfMinutes: the run has no time left for it.
        :raises Refused: the channel or thread cannot be read, or Slack knows no such call.
        :raises CredentialRefused: the token is refused, or lacks a scope.
        :raises ServiceUnreachable: no answer after several attempts.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

        attempts = Retrying(
            retry=retry_if_exception_type(_Fault),
            wait=wait_exponential_jitter(max=LONGEST_BACKOFF_S),
            stop=stop_after_attempt(self.attempts),
            sleep=self.pace.sleep,
            reraise=True,
        )
        given = {name: value for name, value in params.items() if value is not None}
        return attempts(self._answered, method, given)

    def _answered(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer, after as many waits as Slack asks for: its limits are no faults."""
        while True:
            self.pace.take(method)
            status, headers, body = self._sent(method, params)
            if status != 429:
                break
            seconds = _seconds(headers.get("retry-after"))
            self._throttled.told_to_wait(method, seconds)
            self.pace.close(method, seconds)
        if status >= 500:
            raise self._fault(method, f"HTTP {status}")
        if not body.get("ok"):
            raise self._refusal(method, str(body.get("error")), str(body.get("needed") or ""))
        self.scopes = frozenset(headers.get("x-oauth-scopes", "").replace(" ", "").split(",")) - {""}
        self._throttled.answered(method, params, body)
        return body

    def _sent(self, method: str, params: Mapping[str, Any]) -> tuple[int, dict[str, str], Mapping[str, Any]]:
        """Status, headers and body; never the text of an error, in which slack_sdk quotes the answer."""
        from slack_sdk.errors import SlackApiError

        try:
            answer: Any = self.client.api_call(method, params=dict(params))
        except SlackApiError as refused:
            answer = refused.response
        except (OSError, HTTPException, UnicodeDecodeError) as error:
            cause = getattr(error, "reason", error)
            raise self._fault(method, type(cause if isinstance(cause, Exception) else error).__name__) from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status_code, headers, answer.data if isinstance(answer.data, dict) else {}

    def _fault(self, method: str, what: str) -> _Fault:
        return _Fault(
            f"{self.conn_id}: Slack did not answer {method} in {self.attempts} attempts ({what}); what was read before"
            " is kept, run again later"
        )

    def _refusal(self, method: str, code: str, needed: str) -> FeedbackError:
        if not CODE.fullmatch(code):  # slack_sdk's words for a body that is no JSON, of which they quote a part
            return self._fault(method, "no JSON")
        if code in PASSING:
            return self._fault(method, code)
        if code == "missing_scope" and not needed.startswith("groups:"):
            return CredentialRefused(
                f"{self.conn_id}: the app lacks the scope {needed}: add it under OAuth & Permissions and install the"
                " app again (docs/slack.md)"
            )
        if code in REMEDIES:
            return CredentialRefused(f"{self.conn_id}: Slack refuses its token ({code}): {REMEDIES[code]}")
        return Refused(method, code)


def _seconds(retry_after: str | None) -> float:
    try:
        return max(1.0, float(retry_after or ""))
    except ValueError:
        return UNSAID_RETRY_AFTER_S
