"""What the stand-ins of the stores have in common: a clock of their own, a log of what was asked, faults in turn."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from werkzeug import Request, Response

Fault = Callable[[Request], Response]


class Clock:
    """A clock that moves only when somebody sleeps, or a test moves it."""

    def __init__(self, now: str = "2026-11-10T12:00:00"):
        self.now = datetime.fromisoformat(now)
        self.slept: list[float] = []

    @classmethod
    def of_now(cls) -> Clock:
        """Return one that stands at the real time, for those who look at their own."""
        return cls(datetime.now(UTC).replace(tzinfo=None).isoformat())

    def __call__(self) -> float:
        return self.now.replace(tzinfo=UTC).timestamp()

    def instant(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds=seconds)

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)

    def date(self) -> str:
        """Return what a service of this clock says in its header Date."""
        return format_datetime(self.now.replace(tzinfo=UTC), usegmt=True)


class StandIn:
    """Answers with ``answer`` unless a fault is due: the first of ``faults``, or the one of this page.

    :ivar asked: the address of each request, with its query.
    """

    def __init__(self, clock: Clock):
        self.clock = clock
        self.asked: list[str] = []
        self.faults: list[Fault | None] = []
        self.at_page: dict[int, Fault] = {}

    def handle(self, request: Request) -> Response:
        self.asked.append(request.full_path)
        fault = self.faults.pop(0) if self.faults else self.at_page.get(self._page(request))
        return fault(request) if fault else self.answer(request)

    def _page(self, request: Request) -> int:
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        raise NotImplementedError


def says(body: object, status: int = 200, **headers: str) -> Response:
    """Answer with JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(body), status, content_type="application/json", headers=named)


def status(code: int, body: object = None, **headers: str) -> Fault:
    """Refuse with a status."""
    return lambda request: says(body or {"error": code}, code, **headers)


def drop(request: Request) -> Response:
    """Close the socket before a word is said."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response("gone")


def cut(request: Request) -> Response:
    """Break off in the middle of the answer."""
    response = Response(b'{"data": [', content_type="application/json")
    response.automatically_set_content_length = False
    response.headers["Content-Length"] = "1000"
    return response


def html(request: Request) -> Response:
    """Answer as a web site does."""
    return Response("<html>Sign in</html>", content_type="text/html")
