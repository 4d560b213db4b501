"""Reads a stand-in into copies of a warehouse, each time killed with SIGKILL at another point, then once to the end.

Run as a process of its own: ``reader.py <base_url> <now> <warehouse> <point> …``; a point is ``page:3``,
``before:2``, ``within:2`` or ``after:2`` (the second transaction). The copy of a point is named after it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from slack_sdk import WebClient  # noqa: E402

from feedback.model import Run  # noqa: E402
from feedback.operators.extract_operator import ExtractOperator  # noqa: E402
from feedback.sources.slack_api import outgoing, walk  # noqa: E402
from feedback.sources.slack_api.pace import Clock  # noqa: E402
from feedback.sources.slack_api.source import SlackApi  # noqa: E402
from feedback.warehouse.duckdb import DuckDBWarehouse  # noqa: E402

walk.MESSAGES_A_PAGE = 7
outgoing.MOST_ROWS = 12


class Mortal(DuckDBWarehouse):
    """A warehouse whose process is killed at one of its transactions."""

    when, number = "", 0
    count = 0

    def transact(self, steps, incoming=None):
        self.count += 1
        is_due = self.count == self.number
        if is_due and self.when == "before":
            die()
        super().transact(self.cut(steps) if is_due and self.when == "within" else steps, incoming)
        if is_due and self.when == "after":
            die()

    def cut(self, steps):
        """The first statement, and then no more."""
        yield next(iter(steps))
        die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def read(base_url: str, now: datetime, file: Path, point: str = "never:0") -> None:
    """Read everything, unless a point comes before."""
    when, _, number = point.partition(":")
    warehouse = Mortal(file, ROOT / "include/sql/ddl")
    warehouse.when, warehouse.number = when, int(number)
    seen = Counter()

    class Client(WebClient):
        def api_call(self, method, **more):
            seen["page"] += 1
            if when == "page" and seen["page"] == int(number):
                die()
            return super().api_call(method, **more)

    ticks = iter(range(10**9))  # a clock on which nothing ever waits
    source = SlackApi(
        client=lambda: Client("xoxb-stand-in", base_url=base_url, retry_handlers=[]),
        channels=("*",),
        minutes=10**6,
        clock=Clock(lambda: now, lambda: float(next(ticks)), lambda seconds: None),
    )
    operator = ExtractOperator(task_id="extract", source=source, warehouse=warehouse)
    operator.work(Run(f"run_{point}", "extract_feedback", "extract"), {})


def main() -> None:
    base_url, now, base, *points = sys.argv[1:]
    for point in points:
        file = Path(base).with_name(f"{point.replace(':', '-')}.duckdb")
        shutil.copy(base, file)
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            sys.stdout.write(f"{point} {'killed' if os.WIFSIGNALED(status) else 'ended'}\n")
            read(base_url, datetime.fromisoformat(now), file)
        else:
            read(base_url, datetime.fromisoformat(now), file, point)
            os._exit(0)


if __name__ == "__main__":
    main()
