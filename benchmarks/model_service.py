"""A model's service on loopback, in a process of its own: one budget of requests and tokens, latency, faults, and an
account of what it has answered. Tokens are characters / 4, input and output; it says nothing about quality.

``python benchmarks/model_service.py '{"rpm": 3000, "tpm": 4500000, "latency": 0.3}'`` prints its port. ``GET /account``
returns the account since the last ``POST /account``, which begins a new one and may change the settings.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BURST_S = 1.0
"""How many seconds' worth of its budget the service lets through at once, as public services do."""

ASKED = re.compile(r"^# Question: (\w+)$.*?^Answer under `(\w+)`", re.MULTILINE | re.DOTALL)


@dataclass
class Settings:
    """How the service behaves; no limit where one is 0. Every ``fault_every``-th request meets the next fault."""

    rpm: int = 0
    tpm: int = 0
    latency: float = 0.0
    fault_every: int = 0


class Bucket:
    """What is left of a limit per minute."""

    def __init__(self, per_minute: int):
        self.per_second = per_minute / 60
        self.full = self.level = self.per_second * BURST_S
        self.at = time.monotonic()

    def refill(self) -> None:
        now = time.monotonic()
        self.level = min(self.full, self.level + (now - self.at) * self.per_second)
        self.at = now

    def wait(self, amount: float) -> float:
        """Return the seconds until so much is there; a request larger than a burst needs a full bucket."""
        return max(0.0, min(amount, self.full) - self.level) / self.per_second if self.per_second else 0.0


@dataclass
class Account:
    """What was answered: (seconds, tokens) of each billed request, and how often each text was answered."""

    input_tokens: int = 0
    output_tokens: int = 0
    refused: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[float, int]] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        rows = self.rows
        again = {"rows": len(rows), "rows_paid": rows.total(), "rows_again": rows.total() - len(rows)}
        return {**vars(self), **again, "calls": len(self.answers)}


class Service:
    """Answers, refuses and fails as it was told."""

    def __init__(self, settings: Settings):
        self.begin(settings)

    def begin(self, settings: Settings) -> None:
        self.settings, self.account, self.met = settings, Account(), 0
        self.requests, self.tokens = Bucket(settings.rpm), Bucket(settings.tpm)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt, said = (message["content"] for message in body["messages"])
        rows = _rows(said)
        fault = self._fault()
        content, finish = _spoilt(fault, *answer(body, prompt, rows))
        counted = (len(prompt) + len(said) + len(json.dumps(body["response_format"]))) // 4, len(content) // 4
        if refusal := self._refused(sum(counted)):
            return refusal
        account = self.account
        account.in_flight += 1
        account.most_in_flight = max(account.most_in_flight, account.in_flight)
        try:
            await asyncio.sleep(self.settings.latency)
        finally:
            account.in_flight -= 1
        if fault:
            account.faults[fault] += 1
        if fault == "500":
            return web.json_response({"error": {"code": "server_error"}}, status=500)
        account.input_tokens += counted[0]
        account.output_tokens += counted[1]
        account.answers.append((time.monotonic(), sum(counted)))
        account.rows.update(text for _, _, text in rows)
        if fault == "reset":
            request.transport.abort()  # type: ignore[union-attr]
        return web.json_response(_completion(content, finish, counted, fault), headers=self._headers())

    def _refused(self, tokens: int) -> web.Response | None:
        """Refuse what the budget does not hold, and say when it will; else take it."""
        for bucket in (self.requests, self.tokens):
            bucket.refill()
        wait = max(self.requests.wait(1), self.tokens.wait(tokens))
        if wait > 0:
            self.account.refused += 1
            headers = {**self._headers(), "retry-after-ms": f"{wait * 1000:.0f}", "retry-after": f"{-(-wait // 1):.0f}"}
            return web.json_response({"error": {"code": "rate_limit_exceeded"}}, status=429, headers=headers)
        self.requests.level -= 1
        self.tokens.level -= tokens
        return None

    def _headers(self) -> dict[str, str]:
        limits = (("requests", self.settings.rpm, self.requests), ("tokens", self.settings.tpm, self.tokens))
        return {
            f"x-ratelimit-{name}-{what}": str(value)
            for what, limit, bucket in limits
            if limit
            for name, value in (("limit", limit), ("remaining", max(0, int(bucket.level))))
        }

    def _fault(self) -> str:
        """Return the fault that this request meets, one kind after the other."""
        self.met += 1
        every = self.settings.fault_every
        return FAULTS[self.met // every % len(FAULTS)] if every and self.met % every == 0 else ""

    async def tell(self, request: web.Request) -> web.Response:
        return web.json_response(self.account.told())

    async def renew(self, request: web.Request) -> web.Response:
        self.begin(Settings(**await request.json()))
        return web.json_response({})


FAULTS = ("500", "reset", "truncated", "refusal", "bad JSON", "prose", "bad label")


def _rows(said: str) -> list[tuple[int, int | None, str]]:
    """Return the rows of a request: ours, or the one text of a plain client."""
    return json.loads(said)["rows"] if said.startswith('{"rows"') else [(1, None, said)]


def answer(body: dict[str, Any], prompt: str, rows: list[tuple[int, int | None, str]]) -> tuple[str, str]:
    """Answer about every row what its text decides, in the form that was asked for."""
    schema = body["response_format"]["json_schema"]["schema"]["properties"]
    if "answers" not in schema:
        return json.dumps({name: _label(field, rows[0][2]) for name, field in schema.items()}), "stop"
    fields = schema["answers"]["items"]["properties"]
    asked = {name: fields[key] | {"key": key} for name, key in ASKED.findall(prompt)}
    found = [
        {"r": number} | {f["key"]: _answer(name, f, text) for name, f in asked.items()} for number, _, text in rows
    ]
    return json.dumps({"answers": found}, separators=(",", ":")), "stop"


def plain(text: str) -> str:
    """Return a text as its customer wrote it, without the numbers of its sentences."""
    return " ".join(line.split(" ", 1)[1] for line in text.split("\n")) if text[:2] == "1 " else text


def chance(text: str, salt: str) -> int:
    """Return a number that a text alone decides."""
    return zlib.crc32((salt + plain(text)).encode())


def _label(field: dict[str, Any], text: str) -> str:
    return field["enum"][chance(text, "label") % len(field["enum"])]


def _answer(name: str, field: dict[str, Any], text: str) -> Any:
    if "enum" in field:
        return _label(field, text)
    if field["type"] == "array":
        count = (0, 1, 1, 2)[chance(text, name) % 4]
        return [_part(name, field["items"]["properties"], text, str(n)) for n in range(count)]
    return _part(name, field["properties"], text, "")


def _part(name: str, fields: dict[str, Any], text: str, salt: str) -> dict[str, Any]:
    labels = fields["l"]["enum"]
    lines = text.split("\n")
    line = chance(text, salt) % len(lines)
    part: dict[str, Any] = {"l": labels[(chance(text, "label") + len(salt) * int(salt or 0)) % len(labels)]}
    if "s" in fields:
        part["s"] = lines[line].split()[1]
    if "n" in fields:
        numbers = {"sentiment": [-70, line + 1, 85], "mentions": [line + 1]}
        part["n"] = numbers.get(name, [line + 1, 80])
    return part


def _spoilt(fault: str, content: str, finish: str) -> tuple[str, str]:
    """Return the content with its fault: cut in half, one brace lost, prose around it, one label nobody knows."""
    if fault == "truncated":
        return content[: len(content) // 2], "length"
    if fault == "refusal":
        return "", finish
    if fault == "bad JSON":
        return content.replace("}", "", 1), finish
    if fault == "prose":
        return (
            f"Here are the labels you asked for:\n```json\n{content}\n```\nLet me know if I can help further!",
            finish,
        )
    if fault == "bad label":
        return re.sub(r'(:")[a-z_]+"', r'\1splendid"', content, count=1), finish
    return content, finish


def _completion(content: str, finish: str, counted: tuple[int, int], fault: str) -> dict[str, Any]:
    refusal = {"refusal": "I cannot help with that."} if fault == "refusal" else {}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "stand-in",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **refusal}}
        ],
        "usage": {"prompt_tokens": counted[0], "completion_tokens": counted[1], "total_tokens": sum(counted)},
    }


async def main() -> None:
    service = Service(Settings(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))
    app = web.Application(client_max_size=256 << 20)
    app.router.add_post("/v1/chat/completions", service.chat)
    app.router.add_get("/account", service.tell)
    app.router.add_post("/account", service.renew)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # it ends with whoever started it


if __name__ == "__main__":
    asyncio.run(main())
