"""An invented company with a Slack export and saved reviews of its own, and `make run` in a home of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback.warehouse.duckdb import DuckDBWarehouse

ROOT = Path(__file__).resolve().parents[2]
DAY = 1_790_000_000
"""When the words were said: in 2026, long before any clock that runs this test."""


class Words:
    """What customers said, in files; ``say`` and ``edit`` let it grow as the world does."""

    def __init__(self, folder: Path, threads: int = 40, reviews: int = 30):
        self.export, self.pages = folder / "export", folder / "pages"
        self.messages = [_message(number, f"Thread {number} is slow.") for number in range(threads)]
        self.reviews = [_review(number, f"Review {number} says it crashes.") for number in range(reviews)]
        self.save()

    def say(self, thread: int, text: str) -> None:
        """Answer in a thread."""
        root = self.messages[thread]
        root["thread_ts"] = root["ts"]
        self.messages.append(_message(thread, text, later=60) | {"thread_ts": root["ts"], "user": "U2"})
        self.save()

    def edit(self, review: int, text: str) -> None:
        """Change a review, as its author may."""
        self.reviews[review] = _review(review, text, day=2)
        self.save()

    def save(self) -> None:
        channel = self.export / "general"
        channel.mkdir(parents=True, exist_ok=True)
        self.pages.mkdir(parents=True, exist_ok=True)
        _write(self.export / "channels.json", [{"id": "C1", "name": "general"}])
        _write(self.export / "users.json", [{"id": user, "name": user} for user in ("U1", "U2")])
        _write(channel / "2026-09-21.json", self.messages)
        link = "https://itunes.apple.com/us/rss/customerreviews/page=1/id=1234567890/sortby=mostrecent/json"
        _write(self.pages / "us-page-1.json", {"feed": {"id": {"label": link}, "entry": self.reviews}})

    @property
    def variables(self) -> dict[str, str]:
        return {"FEEDBACK_SLACK_EXPORT": str(self.export), "FEEDBACK_ITUNES_PAGES": str(self.pages)}


def _message(thread: int, text: str, later: int = 0) -> dict[str, Any]:
    ts = f"{DAY + 600 * thread + later}.000100"
    return {"type": "message", "user": "U1", "team": "T1", "text": text, "ts": ts}


def _review(number: int, text: str, day: int = 1) -> dict[str, Any]:
    said = {"id": f"9{number:09}", "title": f"Title {number}", "content": text, "im:rating": "1", "im:version": "4.2"}
    said["updated"] = f"2026-09-0{day}T10:00:00-07:00"
    return {name: {"label": label} for name, label in said.items()} | {
        "author": {"name": {"label": f"author {number}"}}
    }


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content))


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    status: int
    out: str
    err: str


class Home:
    """A home in which `make run` works, as a process of its own."""

    def __init__(self, path: Path, words: Words | None = None):
        self.path = path
        self.variables = {
            "FEEDBACK_HOME": str(path),
            "FEEDBACK_HASH_SALT": "salt",
            **(words.variables if words else {}),
        }
        self.data = path if words else path / "sample"
        self.warehouse = DuckDBWarehouse(self.data / "warehouse.duckdb", ROOT / "include/sql/ddl")

    def run(self, **variables: str) -> Ended:
        """Run to the end."""
        return self.wait(self.start(**variables))

    def start(self, verb: str = "run", **variables: str) -> subprocess.Popen[str]:
        ours = ("FEEDBACK_", "AIRFLOW", "OPENAI_", "PYTHON")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return subprocess.Popen(
            [sys.executable, "-m", "include.cli", verb],
            cwd=ROOT,
            env=environment | self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait(self, process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=240)
        return Ended(process.returncode, out, err)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.warehouse.rows(sql)]


def wait_until(what: Callable[[], object], process: subprocess.Popen[str], seconds: float = 180) -> None:
    """Wait for something that a running process will do."""
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, _why(process)
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def _why(process: subprocess.Popen[str]) -> str:
    """Return what an ended process has said, and the end of each log that it names."""
    said = "\n".join(process.communicate())
    logs = [Path(word) for word in said.split() if word.endswith(".log")]
    return "\n".join([said, *(log.read_text()[-3000:] for log in logs if log.exists())])


def model(base_url: str, **variables: str) -> dict[str, str]:
    """The variables that make a service the one that is asked."""
    connection = {"conn_type": "openai", "password": "sk-stand-in", "host": base_url}
    return {"AIRFLOW_CONN_OPENAI_DEFAULT": json.dumps(connection), "FEEDBACK_LLM_MODEL": "stand-in", **variables}


def own_address() -> str:
    """This machine's own address that is not loopback, where the rule that loopback costs nothing does not hold.

    Without a network there is none, and loopback is returned.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address; nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
