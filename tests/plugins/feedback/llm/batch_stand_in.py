"""A Batch API on loopback beside chat completions: files in, answers out, and every way in which a batch ends."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.test import EnvironBuilder

from tests.plugins.feedback.llm.stand_in import StandIn, rows_of

Line = dict[str, Any]


class BatchStandIn(StandIn):
    """Serves files and batches too. A batch stays in progress until ``finish`` is called, or ends ``at_once``.

    ``refusals`` are used up one a submit; ``before`` sees each request to the Batch API before it is answered.
    """

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        server.expect_request(re.compile("/v1/(files|batches)")).respond_with_handler(self._batch_api)
        self.files: dict[str, bytes] = {}
        self.names: dict[str, str | None] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.batched: list[dict[str, Any]] = []
        self.refusals: list[Response] = []
        self.at_once = False
        self.before: Callable[[Request], None] = lambda request: None
        self.deleted: list[str] = []

    @property
    def online(self) -> list[list[str]]:
        """The texts of each request that came by itself."""
        return self.packs

    @property
    def texts(self) -> list[str]:
        """Every text that a batch was paid for."""
        return [row["text"] for body in self.batched for row in rows_of(body)]

    def finish(
        self,
        status: str = "completed",
        *,
        done: int | None = None,
        code: str = "batch_expired",
        change: Callable[[list[Line]], list[Line]] = lambda lines: lines,
    ) -> None:
        """End every batch that is in progress.

        :param done: how many requests are answered; the others are in the file of errors, under ``code``.
        :param change: changes the lines of the answers.
        """
        for batch in self.batches.values():
            if batch["status"] in ("in_progress", "cancelling"):
                self._finish(batch, status, done, code, change)

    def fail(self, code: str) -> None:
        """Refuse every batch that is in progress as a whole, as a service does when it looks into the file."""
        for batch in self.batches.values():
            if batch["status"] == "in_progress":
                batch |= {"status": "failed", "errors": {"object": "list", "data": [{"code": code, "message": "no"}]}}

    def _finish(self, batch: Line, status: str, done: int | None, code: str, change: Any) -> None:
        requests = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        answers = [self._answered(request) for request in requests[:done]]
        errors = [line for line in answers if line["response"]["status_code"] != 200]
        answers = change([line for line in answers if line["response"]["status_code"] == 200])
        skipped = requests[len(requests) if done is None else done :]
        errors += [_line(request, None, {"code": code, "message": "never ran"}) for request in skipped]
        batch |= {
            "status": status,
            "output_file_id": self._written(answers) if answers else None,
            "error_file_id": self._written(errors) if errors else None,
            "request_counts": {"total": len(requests), "completed": len(answers), "failed": len(errors)},
        }

    def _answered(self, request: Line) -> Line:
        """Answer one request of a batch as it would be answered by itself."""
        builder = EnvironBuilder(path=request["url"], method="POST", json=request["body"])
        response = self._handle(builder.get_request())
        self.batched.append(self.requests.pop())
        answered = {"status_code": response.status_code, "body": json.loads(response.get_data())}
        return _line(request, answered, None)

    def _written(self, lines: list[Line]) -> str:
        # As services do: other alphabets, and line separators, stand as they are.
        return self._kept(b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines))

    def _kept(self, content: bytes) -> str:
        file_id = f"file-{len(self.files) + len(self.deleted) + 1}"
        self.files[file_id] = content
        return file_id

    def _batch_api(self, request: Request) -> Response:
        self.before(request)
        _, _, kind, *path = request.path.split("/")
        return self._files(request, path) if kind == "files" else self._batches(request, path)

    def _files(self, request: Request, path: list[str]) -> Response:
        if request.method == "POST":
            file_id = self._kept(request.files["file"].read())
            self.names[file_id] = request.files["file"].filename
            return _json({"id": file_id, "object": "file", "purpose": request.form["purpose"]})
        if not path:
            found = [{"id": file_id, "filename": self.names.get(file_id)} for file_id in self.files]
            return _json({"object": "list", "data": found, "has_more": False})
        if path[0] not in self.files:
            return _missing()
        if request.method == "DELETE":
            del self.files[path[0]]
            self.deleted.append(path[0])
            return _json({"id": path[0], "deleted": True})
        return Response(self.files[path[0]], content_type="application/octet-stream")

    def _batches(self, request: Request, path: list[str]) -> Response:
        if request.method == "POST" and not path:
            return self.refusals.pop(0) if self.refusals else self._submitted(json.loads(request.get_data()))
        if not path:
            newest = [_told(batch) for batch in reversed(self.batches.values())]
            return _json({"object": "list", "data": newest, "has_more": False})
        if path[0] not in self.batches:
            return _missing()
        batch = self.batches[path[0]]
        if path[1:] == ["cancel"] and batch["status"] == "in_progress":
            batch["status"] = "cancelling"
        return _json(_told(batch))

    def _submitted(self, asked: Line) -> Response:
        batch = asked | {
            "id": f"batch-{len(self.batches) + 1}",
            "object": "batch",
            "status": "in_progress",
            "created_at": int(time.time()),
            "request_counts": {"total": self.files[asked["input_file_id"]].count(b"\n"), "completed": 0, "failed": 0},
        }
        self.batches[batch["id"]] = batch
        if self.at_once:
            self.finish()
        return _json(_told(batch))


def _line(request: Line, response: Line | None, error: Line | None) -> Line:
    return {"id": "line", "custom_id": request["custom_id"], "response": response, "error": error}


def _told(batch: Line) -> Line:
    return {name: value for name, value in batch.items() if value is not None}


def _json(content: Any) -> Response:
    return Response(json.dumps(content), content_type="application/json")


def _missing() -> Response:
    return Response(json.dumps({"error": {"code": "not_found", "message": "no"}}), 404, content_type="application/json")
