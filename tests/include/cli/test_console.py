"""While Airflow works its log goes to a file, and people see our own lines."""

from __future__ import annotations

import subprocess
import sys
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
    for _ in range(3):
        print(json.dumps(ours | {"level": "error", "event": "bad file", "traceback": "deep"}), flush=True)
    print(json.dumps([1]))
    os.write(2, b"not json \\xff\\n")
print("after")
"""


LINES = ["begun", "12 rows", "bad file"]


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
