"""A web service that is asked for JSON: one call after another, at its pace, again where that may help."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from feedback.address import is_loopback
from feedback.sources.base import Unreadable
from feedback.sources.json_file import parse
from feedback.sources.part_failed import PartFailed, Passing, patiently

WAIT_S = (10.0, 60.0)
"""Longest wait for a connection and for an answer."""
SKEW_S = 60
"""Clocks that differ by less are the same; tokens begin that long ago."""


@dataclass(frozen=True)
class Answer:
    """What came: ``body`` is the JSON of a good answer, and None where a bad one has none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Web:
    """Asks one host. A redirect or a link to another host is refused: no credential goes there.

    :param who: the connection and its address, as messages name them.
    :param pace_s: least seconds from call to call.
    :param authorization: makes the header of that name, anew for each call.
    """

    def __init__(
        self,
        who: str,
        base_url: str,
        pace_s: float,
        authorization: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ):
        import requests

        self.who = who
        self.base_url = base_url.rstrip("/")
        self._pace_s = pace_s
        self._authorization = authorization
        self._clock = clock
        self._sleep = sleep
        self._called_at = 0.0
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(base_url)  # no proxy can reach our loopback

    def get(self, address: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Return the answer to a request, whatever its status, if it is not one that passes.

        :param address: a path, or a link that an earlier answer held.
        :raises PartFailed: nobody answered well in several attempts, or the answer or link leads elsewhere.
        """
        url = address if "://" in address else self.base_url + address
        if _origin(url) != _origin(self.base_url):
            raise PartFailed("foreign_link", f"{self.who} links to another host, which we do not follow")
        return patiently(lambda: self._get(url, params), self._sleep)

    def _get(self, url: str, params: Mapping[str, str | int] | None) -> Answer:
        import requests

        self._keep_pace()
        try:
            response = self._session.get(url, params=params, auth=self._signed, timeout=WAIT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise Passing("unreachable", f"{self.who}: no answer ({type(error).__name__}); try again later") from None
        if response.status_code == 429:
            wait = _seconds(response.headers.get("Retry-After"))
            raise Passing("throttled", f"{self.who} asks us to slow down (HTTP 429); try again later", wait)
        if response.status_code >= 500:
            detail = f"{self.who} is in trouble (HTTP {response.status_code}); try again later"
            raise Passing("unreachable", detail, _seconds(response.headers.get("Retry-After")))
        if 300 <= response.status_code < 400:
            raise PartFailed("redirected", f"{self.who} redirects, which we do not follow: set its final address")
        return Answer(response.status_code, response.headers, self._body(response.status_code, response.content))

    def _body(self, status: int, content: bytes) -> Any:
        try:
            return parse(content, self.who)
        except Unreadable:
            if status == 200:
                raise Passing("broken_answer", f"{self.who} answered what is no JSON; try again later") from None
        return None

    def _signed(self, request: Any) -> Any:
        """Always given, so that no login of a .netrc takes its place."""
        if self._authorization:
            request.headers["Authorization"] = self._authorization()
        return request

    def _keep_pace(self) -> None:
        early = self._called_at + self._pace_s - self._clock()
        if early > 0:
            self._sleep(min(early, self._pace_s))
        self._called_at = self._clock()


def skew_s(headers: Mapping[str, str], now: float) -> float:
    """Return how many seconds a service's clock is ahead of ours; 0 where it does not say."""
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp() - now
    except (KeyError, ValueError, TypeError):
        return 0.0


def clock_line(who: str, skew: float) -> str:
    """Return how wrong our clock is, for a person; nothing where it is right enough for tokens."""
    if abs(skew) <= SKEW_S:
        return ""
    direction = "behind" if skew > 0 else "ahead of"
    return f"this machine's clock is {abs(skew):.0f} s {direction} that of {who}: set it (NTP)"


def _origin(url: str) -> tuple[str, str]:
    address = urlsplit(url)
    return address.scheme, address.netloc.lower()


def _seconds(value: str | None) -> float | None:
    return float(value) if value and value.isdecimal() else None
