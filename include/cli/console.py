"""While Airflow works in this process its whole log goes to a file; people see our own lines.

Airflow writes JSON a line (``[logging] json_logs``), which is how ours are told from the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

OURS = ("airflow.task.operators.feedback", "feedback")
TROUBLE = ("error", "critical")
BAR = "{percentage:3.0f} % {bar:20} {desc}"


class Console:
    """A context in which standard output and error belong to the log file, and ``say`` to the person."""

    def __init__(self, log: Path, clock: Callable[[], float] = time.monotonic, *, is_on_error: bool = False):
        self.log = log
        self.is_on_error = is_on_error
        self.clock = clock
        self.started = clock()
        self.troubles: set[str] = set()
        self.turn = threading.Lock()
        self.bar: Any = None

    def __enter__(self) -> Console:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.log.open("wb", buffering=0)
        sys.stdout.flush()
        sys.stderr.flush()
        self.saved = os.dup(1), os.dup(2)
        self.out = os.fdopen(os.dup(self.saved[self.is_on_error]), "w", buffering=1)
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(writer)
        self.thread = threading.Thread(target=self._read, args=(reader,), name="console", daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, saved in zip((1, 2), self.saved, strict=True):
            os.dup2(saved, fd)
            os.close(saved)
        self.thread.join(5)
        if self.bar:
            self.bar.close()
        self.out.close()

    def say(self, line: str) -> None:
        """Print a line of progress, in place of a bar that is drawn."""
        with self.turn:
            if self.bar:
                self.bar.close()
                self.bar = None
            print(f"{self.clock() - self.started:6.1f} s  {line}", file=self.out)

    def draw(self, done: int, total: int, line: str) -> None:
        """Draw a bar with a line beside it, until something is said."""
        from tqdm import tqdm

        with self.turn:
            self.bar = self.bar or tqdm(total=total, file=self.out, leave=False, dynamic_ncols=True, bar_format=BAR)
            self.bar.n, self.bar.total = done, total
            self.bar.set_description_str(line)

    def _read(self, reader: int) -> None:
        with os.fdopen(reader, "r", errors="replace") as lines, self.file:
            for line in lines:
                with contextlib.suppress(OSError):  # a full disk must not stop whoever writes to us
                    self.file.write(line.encode())
                with contextlib.suppress(OSError):  # nor a reader who has gone
                    self._echo(line)

    def _echo(self, line: str) -> None:
        entry = _entry(line)
        if not str(entry.get("logger", "")).startswith(OURS):
            return
        message, level = str(entry.get("event", "")), entry.get("level")
        if level in TROUBLE and message not in self.troubles:
            self.troubles.add(message)  # each try of a task says it again
            self.say(message)
        elif level == "info" and "total" in entry and self.out.isatty():
            self.draw(entry["done"], entry["total"], message)
        elif level in ("info", "warning"):
            self.say(message)


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}
