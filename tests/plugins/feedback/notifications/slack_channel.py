"""One channel of Slack on loopback: it keeps what is posted, shows it, and fails as it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from slack_sdk import WebClient

ROOT = Path(__file__).resolve().parents[4]
KILLED = """
import os, signal, sys
sys.path[:0] = ["plugins"]
from pathlib import Path
from slack_sdk import WebClient
from feedback.notifications.digests import post_digests
from feedback.notifications.telling import tell
from feedback.warehouse.duckdb import DuckDBWarehouse

class Killed(WebClient):
    def chat_postMessage(self, **said):
        if sys.argv[3] == "after":
            super().chat_postMessage(**said)
        os.kill(os.getpid(), signal.SIGKILL)

client = lambda: Killed(token="x", base_url=sys.argv[2], retry_handlers=[])
warehouse = DuckDBWarehouse(Path(sys.argv[1]), Path("include/sql/ddl"))
"""
PAGE = "<html>Sign in, ada@house.example</html>"


class Channel:
    """What was posted, as Slack shows it, in every channel of a workspace.

    :ivar faults: what becomes of the next posts: ``refuse``, ``throttle`` (429), ``break`` (500 though it was kept),
        ``drop`` (the connection closes though it was kept), ``lose`` (the connection closes before it was), ``page``
        (200 with something that is no answer, though it was kept), or an error that Slack names though it was kept.
    :ivar closed: channels that the app is not in; ``gone``: that people have deleted.
    :ivar errors: what Slack says to posts with these words in their text, instead of keeping them.
    :ivar is_unreadable: whether the channel's history cannot be read.
    :ivar calls: the methods that were called.
    """

    def __init__(self) -> None:
        self.messages: list[dict] = []
        self.faults: list[str] = []
        self.closed: set[str] = set()
        self.gone: set[str] = set()
        self.errors: dict[str, str] = {}
        self.is_unreadable = False
        self.calls: list[str] = []
        self.base_url = ""

    @property
    def roots(self) -> list[dict]:
        return [message for message in self.messages if not message.get("thread_ts")]

    def client(self) -> WebClient:
        return WebClient(token="xoxb-stand-in", base_url=self.base_url, retry_handlers=[], timeout=5)

    def answer(self, method: str, params: dict) -> dict | int | str | None:
        self.calls.append(method)
        if method == "auth.test":
            return {"ok": True, "url": "https://house.slack.com/", "user": "feedback", "team": "House"}
        if params["channel"] in self.gone:
            return {"ok": False, "error": "channel_not_found"}
        if method in ("conversations.history", "conversations.replies"):
            closed = params["channel"] in self.closed
            wrong = "missing_scope" if self.is_unreadable else "not_in_channel" if closed else ""
            return {"ok": False, "error": wrong} if wrong else self._read(params)
        if params["channel"] in self.closed:
            return {"ok": False, "error": "not_in_channel"}
        return self._change(params) if method == "chat.update" else self._post(params)

    def _read(self, params: dict) -> dict:
        ts, oldest, latest = (params.get(name) for name in ("ts", "oldest", "latest"))
        if ts and ts not in [message["ts"] for message in self.messages]:
            return {"ok": False, "error": "thread_not_found"}
        found = [
            message
            for message in self.messages
            if (not ts or ts in (message["ts"], message.get("thread_ts")))
            and float(oldest or 0) <= float(message["ts"]) <= float(latest or "inf")
            and message["channel"] == params["channel"]
        ]
        return {"ok": True, "messages": found}

    def _post(self, params: dict) -> dict | int | str | None:
        for words, error in self.errors.items():
            if words in params["text"]:
                return {"ok": False, "error": error}
        roots = [message["ts"] for message in self.roots if message["channel"] == params["channel"]]
        if "thread_ts" in params and params["thread_ts"] not in roots:
            return {"ok": False, "error": "thread_not_found"}
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "refuse":
            return {"ok": False, "error": "invalid_auth"}
        if fault == "lose":
            return None
        if fault == "throttle":
            return 429
        message = {"ts": f"{time.time():.6f}", "text": params["text"], "channel": params["channel"]}
        message |= {name: params[name] for name in ("thread_ts", "metadata", "blocks") if name in params}
        self.messages.append(message)
        if fault in ("break", "drop", "page"):
            return {"break": 500, "drop": None, "page": PAGE}[fault]
        return {"ok": False, "error": fault} if fault else {"ok": True, "ts": message["ts"]}

    def _change(self, params: dict) -> dict:
        for message in self.messages:
            if (message["channel"], message["ts"]) == (params["channel"], params["ts"]):
                message |= {name: params[name] for name in ("text", "blocks", "metadata")}
                return {"ok": True, "ts": message["ts"]}
        return {"ok": False, "error": "message_not_found"}


@contextmanager
def served() -> Iterator[Channel]:
    """Serve a channel."""
    channel = Channel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_json = "json" in self.headers["Content-Type"]
            params = json.loads(body or "{}") if is_json else dict(parse_qsl(body))
            answer = channel.answer(self.path.rpartition("/")[2], params)
            if answer is None:
                self.close_connection = True
                return
            status, text = (answer, "oops") if isinstance(answer, int) else (200, answer)
            text = text if isinstance(text, str) else json.dumps(text)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    channel.base_url = f"http://127.0.0.1:{server.server_port}/api/"
    try:
        yield channel
    finally:
        server.shutdown()
        server.server_close()


def killed_while_it_posts(path: Path, channel: Channel, when: str, call: str) -> None:
    """Make a call in a process that is killed as it posts.

    :param when: before or after Slack has the post; ``call``: what posts, given ``warehouse`` and ``client``.
    """
    command = [sys.executable, "-c", KILLED + call, str(path), channel.base_url, when]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
