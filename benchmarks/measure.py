"""Whole processes, measured from outside: wall seconds and peak resident memory as the kernel counts them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """One finished process."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    status: int
    output: str


def run(*arguments: str, **variables: str) -> Measured:
    """Run ``python <arguments>`` from the repository root on our variables alone, and measure it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FEEDBACK_", "AIRFLOW"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=kept | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss / 1024,
        status=process.returncode,
        output=output,
    )


def parser(purpose: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help is a script's own docstring, laid out as it is there."""
    return argparse.ArgumentParser(
        description=purpose,
        epilog="Times are those of two cores with other work on them. Goals and figures: docs/benchmarks.md.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def loop() -> str:
    """Say how fast this machine is just now: what ten million rounds of plain Python take here."""
    started = time.monotonic(), time.process_time()
    sum(i * i for i in range(10**7))
    return f"loop {time.monotonic() - started[0]:.2f} s, {time.process_time() - started[1]:.2f} CPU s"


def table(title: str, header: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Print a table in Markdown, as docs/benchmarks.md takes it."""
    print(f"\n{title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
