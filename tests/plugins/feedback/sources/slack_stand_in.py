"""Slack's Web API on loopback over an invented workspace: pages, limits, refusals, and every fault a test orders."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.plugins.feedback.sources.slack_world import TEAM, Channel, World, micros_of

TOKEN = "xoxb-stand-in"
SCOPES = {"channels:read", "channels:history", "users:read"}
TIERS = {"conversations.history": 50, "conversations.replies": 50, "conversations.list": 20, "users.list": 20}
NEEDS = {"conversations.history": "channels:history", "conversations.replies": "channels:history"}
LATENCY_S = 0.15
FOREVER = 10**18

Params = dict[str, str]
Fault = Callable[[str, Params], Response | None]
"""Answers a call in its own way; None leaves it to the stand-in."""


class Refusal(Exception):
    """What Slack says no with: ``ok: false`` inside a 200."""

    def __init__(self, error: str, **more: Any):
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


class SlackStandIn:
    """Serves a world.

    :param limited: whether calls are counted against Slack's limits a minute, on the world's clock.
    :param is_throttled: whether the app is one distributed outside the Marketplace: a call a minute, 15 messages.
    """

    def __init__(self, server: HTTPServer, world: World, limited: bool = True, is_throttled: bool = False):
        self.server, self.world = server, world
        self.limited, self.is_throttled = limited, is_throttled
        self.scopes = set(SCOPES)
        self.token = TOKEN
        self.hidden_before = 0
        self.list_page = 999
        self.calls: Counter[str] = Counter()
        self.faults: list[Fault] = []
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        server.clear()
        for method in METHODS:
            server.expect_request(f"/api/{method}", method="POST").respond_with_handler(self._handle)

    def forget(self) -> None:
        """Forget what was called: after time travel it would count against the wrong minutes."""
        self.calls.clear()
        self._sent.clear()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/api/"

    def _handle(self, request: Request) -> Response:
        method = request.path.removeprefix("/api/")
        params = request.form.to_dict()
        self.server.log.clear()
        self.world.clock.sleep(LATENCY_S)
        self.calls[method] += 1
        if wait := self._over_limit(method):
            self.calls["429"] += 1
            return json_response({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
        for fault in list(self.faults):
            response = fault(method, params)
            if response is not None:
                return response
        try:
            self._authorize(method, request.headers.get("Authorization", ""))
            body = {"ok": True, **METHODS[method](self, params)}
        except Refusal as refusal:
            body = refusal.body
        return json_response(body, headers={"X-OAuth-Scopes": ",".join(sorted(self.scopes))})

    def _over_limit(self, method: str) -> int:
        """Seconds to wait, counted over a sliding minute; 0 where the call is within its limit."""
        tier = 1 if self.is_throttled and method in NEEDS else TIERS.get(method)
        if not self.limited or tier is None:
            return 0
        now, sent = self.world.clock.seconds(), self._sent[method]
        while sent and sent[0] <= now - 60:
            sent.popleft()
        if len(sent) >= tier:
            return int(sent[0] + 60 - now) + 1
        sent.append(now)
        return 0

    def _authorize(self, method: str, header: str) -> None:
        if header != f"Bearer {self.token}":
            raise Refusal("invalid_auth")
        self.need(NEEDS.get(method))

    def need(self, scope: str | None) -> None:
        if scope and scope not in self.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    # The methods

    def auth_test(self, params: Params) -> dict[str, Any]:
        return {
            "url": "https://acme.slack.com/",
            "team": "Acme",
            "team_id": TEAM,
            "user": "feedback",
            "user_id": "UBOT",
            "bot_id": "B1",
        }

    def conversations_list(self, params: Params) -> dict[str, Any]:
        types = params.get("types", "public_channel").split(",")
        if "private_channel" in types:
            self.need("groups:read")
        everyone = list(self.world.channels.values())
        start, limit = int(params.get("cursor") or 0), min(int(params.get("limit", 100)), self.list_page)
        cut = everyone[start : start + limit]  # what is filtered is filtered after the cut, so pages come up short
        shown = [one for one in cut if ("private_channel" if one.is_private else "public_channel") in types]
        shown = [one for one in shown if one.is_member or not one.is_private]
        more = str(start + limit) if start + limit < len(everyone) else ""
        return {"channels": [_channel(one) for one in shown], "response_metadata": {"next_cursor": more}}

    def users_list(self, params: Params) -> dict[str, Any]:
        self.need("users:read")
        everyone = list(self.world.users.values())
        start, limit = int(params.get("cursor") or 0), int(params.get("limit", 100))
        more = str(start + limit) if start + limit < len(everyone) else ""
        return {"members": everyone[start : start + limit], "response_metadata": {"next_cursor": more}}

    def conversations_history(self, params: Params) -> dict[str, Any]:
        channel = self._readable(params)
        oldest, latest = self._bounds(params)
        if cursor := params.get("cursor"):
            latest = min(latest, micros_of(cursor.removeprefix("next_ts:")))
        found = channel.history(max(oldest, self.hidden_before), latest, self.world.clock.micros)
        page, more = self._page(found, params, 999)
        cursor = f"next_ts:{more['ts']}" if more else ""
        body: dict[str, Any] = {"messages": page, "has_more": bool(more)}
        body |= {"response_metadata": {"next_cursor": cursor}} if more else {}
        return body | ({"is_limited": True} if self.hidden_before else {})

    def conversations_replies(self, params: Params) -> dict[str, Any]:
        channel, now = self._readable(params), self.world.clock.micros
        root = micros_of(params["ts"])
        parent = channel.message(root, now)
        if parent is None or root < self.hidden_before:
            raise Refusal("thread_not_found")
        if channel.said[root].is_reply:
            return {"messages": [parent], "has_more": False}
        oldest, latest = self._bounds(params)
        if cursor := params.get("cursor"):
            oldest = max(oldest, micros_of(cursor.removeprefix("next_ts:")))
        found = (reply for reply in channel.replies(root, now) if oldest <= reply <= latest)
        page, more = self._page((channel.message(reply, now) or {} for reply in found), params, 1000)
        body: dict[str, Any] = {"messages": [parent, *page], "has_more": bool(more)}
        return body | ({"response_metadata": {"next_cursor": f"next_ts:{more['ts']}"}} if more else {})

    def _page(self, found: Iterator[dict[str, Any]], params: Params, most: int) -> tuple[list[dict[str, Any]], Any]:
        """One page and the first message of the next."""
        most = 15 if self.is_throttled else most
        page = list(islice(found, min(int(params.get("limit", 100)), most)))
        return page, next(found, None)

    def _bounds(self, params: Params) -> tuple[int, int]:
        """``oldest`` and ``latest``, both included."""
        oldest, latest = params.get("oldest"), params.get("latest")
        out = 0 if params.get("inclusive") == "1" else 1
        return micros_of(oldest) + out if oldest else 0, micros_of(latest) - out if latest else FOREVER

    def _readable(self, params: Params) -> Channel:
        channel = self.world.channels.get(params["channel"])
        if channel is None:
            raise Refusal("channel_not_found")
        if channel.is_private:
            self.need("groups:history")
        if channel.is_archived:
            raise Refusal("is_archived")
        if not channel.is_member:
            raise Refusal("not_in_channel")
        return channel


METHODS: dict[str, Callable[[SlackStandIn, Params], dict[str, Any]]] = {
    "auth.test": SlackStandIn.auth_test,
    "conversations.list": SlackStandIn.conversations_list,
    "users.list": SlackStandIn.users_list,
    "conversations.history": SlackStandIn.conversations_history,
    "conversations.replies": SlackStandIn.conversations_replies,
}


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": channel.is_member and not channel.is_archived,
        "is_ext_shared": channel.is_shared,
        "num_members": 3,
    }


def json_response(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers=headers, content_type="application/json; charset=utf-8")


# The faults. Each is used up after so many calls; ``where`` chooses the calls it meets.

Where = Callable[[str, Params], bool]


def history(method: str, params: Params) -> bool:
    return method == "conversations.history"


def later_page(method: str, params: Params) -> bool:
    """A page that is not the first of its walk."""
    return bool(params.get("cursor"))


def fault(where: Where, answer: Callable[[], Response | None], times: int = 1) -> Fault:
    """Answer the next ``times`` calls that ``where`` chooses."""
    left = times

    def faulty(method: str, params: Params) -> Response | None:
        nonlocal left
        if not left or not where(method, params):
            return None
        left -= 1
        return answer()

    return faulty


def status(code: int, **headers: str) -> Callable[[], Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: json_response({"ok": False, "error": "fault"}, code, named)


def refused(error: str, **more: Any) -> Callable[[], Response]:
    return lambda: json_response({"ok": False, "error": error, **more})


def page_of_a_proxy() -> Response:
    return Response("<html>Sign in</html>", content_type="text/html")


def dropped() -> Response:
    """Break off in the middle of the answer."""
    response = Response(b'{"ok": true, "messages": [{"text": "half', content_type="application/json")
    response.headers["Content-Length"] = "100000"
    response.automatically_set_content_length = False
    return response


def meanwhile(deed: Callable[[], object]) -> Callable[[], None]:
    """Do something in the workspace while a walk is under way, and answer as ever."""

    def answer() -> None:
        deed()

    return answer
