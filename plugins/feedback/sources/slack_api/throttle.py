"""Recognises an app that Slack throttles because it is distributed outside its Marketplace.

Such an app gets one call of history or replies a minute and fifteen messages a call: no day of a company
fits into a day. An app that the company made for itself has fifty calls of a thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from feedback.errors import CredentialRefused

PAGE = 15
LONG_WAIT_S = 30.0
STRIKES = 3


def throttled(conn_id: str) -> str:
    """Return what is said of such an app."""
    return (
        f"{conn_id}: Slack gives this app one call a minute and {PAGE} messages a call, as it does to apps distributed"
        " outside its Marketplace: make an internal app of your own from docs/slack_app_manifest.yaml and set its bot"
        " token (docs/slack.md)"
    )


class ThrottledApp:
    """Watches answers and waits.

    :raises CredentialRefused: out of ``told_to_wait``, once the app is recognised.
    """

    def __init__(self, conn_id: str):
        self.conn_id = conn_id
        self._has_short_page = self._has_long_page = False
        self._since_wait: Counter[str] = Counter()
        self._strikes = 0

    def answered(self, method: str, params: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Look at a page: cut at fifteen though a thousand were asked for and more are there, or longer."""
        self._since_wait[method] += 1
        size, asked = len(body.get("messages") or ()), int(params.get("limit") or 0)
        self._has_long_page = self._has_long_page or size > PAGE + 1  # a page of replies repeats the root
        self._has_short_page = self._has_short_page or bool(body.get("has_more") and size <= PAGE + 1 < asked)

    def told_to_wait(self, method: str, seconds: float) -> None:
        """Look at a 429: a long wait after a page cut short, or after each single call, time and again."""
        is_single = self._since_wait.pop(method, 0) == 1
        if seconds < LONG_WAIT_S or self._has_long_page:
            return
        self._strikes += is_single
        if self._has_short_page or self._strikes == STRIKES:
            raise CredentialRefused(throttled(self.conn_id))
