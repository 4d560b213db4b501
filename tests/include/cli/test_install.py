"""Setting up on a machine that lacks something says so in one line. Nothing is installed here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def install(tmp_path):
    """Call .ci/install where only bash and a Python of the test's own are on PATH."""
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "env"):
        where = next(Path(folder, tool) for folder in os.defpath.split(":") if Path(folder, tool).exists())
        (tmp_path / "bin" / tool).symlink_to(where)

    def called(script=None):
        if script:
            python = tmp_path / "bin" / "python3"
            python.write_text(f"#!/bin/bash\n{script}\n")
            python.chmod(0o755)
        return subprocess.run(
            [ROOT / ".ci/install", "python3", tmp_path / "venv"],
            cwd=tmp_path,
            env={"PATH": str(tmp_path / "bin")},
            capture_output=True,
            text=True,
            timeout=30,
        )

    return called


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.14"])
def test_another_python_is_one_line_that_says_which_are_wanted(version, install, tmp_path):
    done = install(f"echo {version}")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"python3 is Python {version}" in done.stderr
    assert "3.11, 3.12 or 3.13" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_no_python_at_all_is_one_line(install):
    done = install()

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "python3 is not on this machine" in done.stderr


def test_a_python_that_does_not_start_is_one_line(install):
    done = install("echo broken >&2; exit 127")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("python3 does not start")


def test_a_python_without_venv_is_one_line_that_says_what_to_install(install, tmp_path):
    done = install("case $2 in *ensurepip*) exit 1;; *) echo 3.12;; esac")

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_an_environment_without_pip_is_given_one(install, tmp_path):
    made = tmp_path / "made"
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to("/bin/false")

    install(f"case $2 in venv) echo $3 > {made};; *) echo 3.12;; esac")

    assert made.read_text().strip() == str(tmp_path / "venv")
