"""What travels to and from a Batch API: files of requests, one a line, and a line for each that came to an end."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from feedback.llm.batch_service import ENDPOINT
from feedback.llm.ledger_rows import intended
from feedback.llm.pack import Pack
from feedback.llm.questions import Questions
from feedback.llm.service import Reply, code_of, reply_of
from feedback.model import Run, digest

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
ANSWERED, REFUSED = "answered", "refused"
"""What a request may have come to where asking it again alone may help; any other word means that it never ran."""


def asked_as(questions: Questions) -> str:
    """Return a hash of the instructions and the form of an answer: who reads by others may read something else."""
    return digest(questions.prompt, json.dumps(questions.response_format))[:16]


@dataclass(frozen=True)
class Request:
    """A pack on its way, under the id of its call."""

    call_id: str
    pack: Pack

    @property
    def most_usd(self) -> float:
        """The most that it can cost."""
        return self.pack.most_usd(self.pack.output_limit) * self.pack.model.share("batch")

    def intended(self, run: Run) -> dict[str, Any]:
        """Return its row of ``ops.llm_calls`` before it is sent."""
        pack = self.pack
        versions, held, rows = pack.questions.versions, self.most_usd, len(pack.rows)
        return intended(run, "enrich", "batch", self.call_id, pack.model, versions, rows, attempt=1, held=held)

    @property
    def line(self) -> bytes:
        """The request as it is sent: ASCII, so that nobody takes a character of the text for the end of the line."""
        body = self.pack.body(self.pack.output_limit)
        wrapped = {"custom_id": self.call_id, "method": "POST", "url": ENDPOINT, "body": body}
        return json.dumps(wrapped).encode() + b"\n"


@dataclass
class File:
    """Requests of one model, written down in a file that has no name and is gone with the process."""

    content: BinaryIO = field(default_factory=tempfile.TemporaryFile)
    requests: list[Request] = field(default_factory=list)
    size: int = 0
    input_tokens: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)

    def add(self, request: Request, line: bytes) -> None:
        self.content.write(line)
        self.sha256.update(line)
        self.requests.append(request)
        self.size += len(line)
        self.input_tokens += request.pack.input_tokens


def files(
    requests: Iterable[Request],
    most_tokens: float = float("inf"),
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[File]:
    """Write requests into as few files as the service's limits allow, each of one model."""
    file = File()
    try:
        for request in requests:
            line = request.line
            if file.requests and (
                request.pack.model != file.requests[0].pack.model
                or len(file.requests) == most_requests
                or file.size + len(line) > most_bytes
                or file.input_tokens + request.pack.input_tokens > most_tokens
            ):
                yield file
                file.content.close()
                file = File()
            file.add(request, line)
        if file.requests:
            yield file
    finally:
        file.content.close()


@dataclass(frozen=True)
class Outcome:
    """What became of one request: a word, and the reply where one can be read."""

    call_id: str
    status: int | None
    word: str
    reply: Reply | None = None


def outcomes(content: BinaryIO) -> Iterator[Outcome]:
    """Read a file of answers or of errors; a line that is neither says nothing about any request."""
    for line in content:
        try:
            said = json.loads(line)
            response = said.get("response") or {}
            yield _outcome(said["custom_id"], response.get("status_code"), response.get("body"), said.get("error"))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue


def _outcome(call_id: str, status: int | None, body: dict | None, error: dict | None) -> Outcome:
    if not (call_id.isascii() and (status is None or (isinstance(status, int) and 100 <= status < 1000))):
        raise ValueError
    if status == 200:
        try:
            return Outcome(call_id, status, ANSWERED, reply_of(body or {}, {}))
        except (ValueError, TypeError, AttributeError, LookupError):
            return Outcome(call_id, status, ANSWERED)
    if status is not None and 400 <= status < 500 and status not in (408, 409, 429):
        return Outcome(call_id, status, REFUSED)
    said = error or (body or {}).get("error") or {}
    return Outcome(call_id, status, code_of(said.get("code"), "failed"))
