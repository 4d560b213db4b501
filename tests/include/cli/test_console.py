"""While Airflow works its log goes to a file, and people see our own lines."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORK = """
import json, os, sys
from pathlib import Path
from include.cli.console import Console

with Console(Path(sys.argv[1]), is_on_error="--json" in sys.argv) as console:
    console.say("begun")
    print("a library prints")
    print(json.dumps({"logger": "airflow.models", "level": "error", "event": "not ours"}))
    ours = {"logger": "airflow.task.operators.feedback.x", "level": "info", "event": "12 rows"}
    print(json.dumps(ours))
    for done in (1, 40, 100):
        print(json.dumps(ours | {"event": f"{done} of 100 texts done", "done": done, "total": 100}), flush=True)
    for _ in range(3):
        print(json.dumps(ours | {"level": "error", "event": "bad file", "traceback": "deep"}), flush=True)
    print(json.dumps([1]))
    os.write(2, b"not json \\xff\\n")
print("after")
"""


PROGRESS = [f"{done} of 100 texts done" for done in (1, 40, 100)]
LINES = ["begun", "12 rows", *PROGRESS, "bad file"]


def console(log, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WORK, log, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def said(lines):
    return [line.split("s  ", 1)[-1] for line in lines.splitlines()]


def test_what_is_ours_is_shown_once_and_the_rest_is_not(tmp_path):
    done = console(tmp_path / "run.log")

    assert said(done.stdout) == [*LINES, "after"]
    assert done.stderr == ""


def test_where_a_program_reads_the_output_progress_keeps_out_of_it(tmp_path):
    done = console(tmp_path / "run.log", "--json")

    assert done.stdout == "after\n"
    assert said(done.stderr) == LINES


def test_a_terminal_gets_a_bar_for_as_long_as_nothing_else_is_said(tmp_path):
    shown = on_a_terminal(tmp_path / "run.log")

    bars = [part.split(" % ")[0].strip() for part in shown.split("\r") if part.endswith("texts done")]
    assert bars == ["1", "40", "100"]
    assert "100 % ████████████████████ 100 of 100 texts done\r " in shown
    kept = [line.split("\r")[-1] for line in shown.replace("\r\n", "\n").split("\n")]
    assert said("\n".join(kept)) == ["begun", "12 rows", "bad file", "after"]


def on_a_terminal(log):
    """Return what a terminal of 100 columns is sent."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 100, 0, 0))
    done = subprocess.run([sys.executable, "-c", WORK, log], cwd=ROOT, stdout=there, stderr=there, timeout=60)
    os.close(there)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while part := os.read(here, 4096):
            shown += part
    os.close(here)
    assert done.returncode == 0
    return shown.decode()


def test_everything_is_in_the_log_file(tmp_path):
    console(tmp_path / "logs" / "run.log")

    log = (tmp_path / "logs" / "run.log").read_text(errors="replace")
    assert "a library prints" in log
    assert "not ours" in log
    assert "deep" in log


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_that_cannot_be_written_stops_nobody():
    done = console("/dev/full")

    assert (done.returncode, said(done.stdout)) == (0, [*LINES, "after"])
