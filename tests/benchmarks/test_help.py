"""Nobody runs the benchmarks but people, who first ask what they are in for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = [*sorted(BENCHMARKS.glob("bench_*.py")), BENCHMARKS / "million.py"]


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.stem for script in SCRIPTS])
def test_a_benchmark_that_is_asked_for_help_says_what_it_does_and_how_long_it_takes(script):
    purpose = ast.get_docstring(ast.parse(script.read_text("utf-8")))
    asked = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True)

    assert (asked.returncode, asked.stderr) == (0, "")
    assert purpose.partition("\n")[0] in asked.stdout
    assert "It takes" in asked.stdout
