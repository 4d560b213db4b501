"""A model's service on loopback: right answers in the form that was asked for, and every fault a test orders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from feedback.text.sentences import without_speaker

Rows = list[dict[str, Any]]
Fault = Callable[[Mapping[str, Any], Rows], Response | None]
"""Answers a request in its own way; None leaves it to the stand-in."""


class StandIn:
    """Serves chat completions. ``faults`` are used up one a request; ``poison`` maps a word to what its rows do."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        server.clear()
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(self._handle)
        self.requests: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.poison: dict[str, Fault] = {}
        self.headers: dict[str, str] = {}
        self.tokens = (100, 10)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/v1"

    @property
    def packs(self) -> list[list[str]]:
        """The texts of each request."""
        return [[row["text"] for row in rows_of(body)] for body in self.requests]

    def _handle(self, request: Request) -> Response:
        body = json.loads(request.get_data())
        rows = rows_of(body)
        self.requests.append(body)
        fault = self.faults.pop(0) if self.faults else None
        for word, poison in self.poison.items():
            if any(word in row["text"] for row in rows):
                fault = poison
        response = fault(body, rows) if fault else None
        return response or self.says(json.dumps({"answers": right(body, rows)}))

    def says(self, content: str | None, finish: str = "stop", **message: Any) -> Response:
        return completion(content, finish, self.tokens, self.headers, **message)


def rows_of(body: Mapping[str, Any]) -> Rows:
    """Return the rows of a request, their sentences joined again."""
    rows = json.loads(body["messages"][1]["content"])["rows"]
    return [_row(*row) for row in rows]


def _row(number: int, rating: int | None, text: str) -> dict[str, Any]:
    sentences = [line.split(" ", 1)[1] for line in text.split("\n")]
    return {"r": number, "rating": rating, "text": " ".join(sentences), "sentences": sentences}


def asked_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the questions of a request, each with the key of its answer, as the prompt tells them."""
    return dict(re.findall(r"^# Question: (\w+)$.*?^Answer under `(\w+)`", body["messages"][0]["content"], re.M | re.S))


def right(body: Mapping[str, Any], rows: Rows) -> Rows:
    """Answer every question about every row so that it passes every check, in the form that was asked for."""
    asked = asked_of(body)
    return [{"r": row["r"]} | {key: _sent(name, row["text"]) for name, key in asked.items()} for row in rows]


def _sent(name: str, text: str) -> Any:
    return {
        "sentiment": {"l": "neg", "n": [-50, 1, 90]},
        "intent": {"l": "c", "n": [1, 80]},
        "area": [{"l": "perf", "n": [1, 70]}],
        "match": {"l": "n", "n": [90]},
        "mentions": [{"l": "p", "s": without_speaker(text).split()[0], "n": [1]}],
    }[name]


def written_out(body: Mapping[str, Any], rows: Rows) -> Rows:
    """Answer right, with every name and label in full and quotes as words, as a model does that heeds no schema."""
    return [{"r": row["r"]} | {name: _written_out(name, row) for name in asked_of(body)} for row in rows]


def _written_out(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    quote = without_speaker(row["sentences"][0])
    return {
        "sentiment": {"label": "negative", "score": -0.5, "quote": quote, "confidence": 0.9},
        "intent": {"label": "complaint", "quote": quote, "confidence": 0.8},
        "area": {"areas": [{"label": "performance", "quote": quote, "confidence": 0.7}]},
        "match": {"label": "none", "confidence": 0.9},
        "mentions": {"mentions": [{"kind": "product", "surface": quote.split()[0], "quote": quote}]},
    }[name]


def completion(
    content: str | None, finish: str = "stop", tokens: tuple[int, int] = (100, 10), headers: Any = None, **message: Any
) -> Response:
    said = {"role": "assistant", "content": content, **message}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    answer = {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "stand-in",
        "choices": [{"index": 0, "finish_reason": finish, "message": said}],
        "usage": usage,
    }
    return Response(json.dumps(answer), content_type="application/json", headers=headers)


# The faults


def status(code: int, error: str = "fault", **headers: str) -> Fault:
    """Refuse with an HTTP status."""
    message = {"error": {"code": error, "message": error}}
    return lambda body, rows: Response(
        json.dumps(message),
        code,
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def content(change: Callable[[str], str], finish: str = "stop") -> Fault:
    """Answer right, then change the words."""
    return lambda body, rows: completion(change(json.dumps({"answers": right(body, rows)})), finish)


def answers(change: Callable[[dict[str, Any]], None]) -> Fault:
    """Answer right and written out, then change each row's answer."""

    def fault(body: Mapping[str, Any], rows: Rows) -> Response:
        said = written_out(body, rows)
        for answer in said:
            change(answer)
        return completion(json.dumps({"answers": said}))

    return fault


def refusal(body: Mapping[str, Any], rows: Rows) -> Response:
    """Decline to answer."""
    return completion(None, refusal="I cannot help with that.")


def reset(body: Mapping[str, Any], rows: Rows) -> Response:
    """Break off in the middle of the answer."""
    response = Response(b"{", content_type="application/json")
    response.headers["Content-Length"] = "1000"
    response.automatically_set_content_length = False
    return response


def html(body: Mapping[str, Any], rows: Rows) -> Response:
    """Answer as a web site does."""
    return Response("<html>Sign in</html>", content_type="text/html")
