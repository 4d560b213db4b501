"""One run a home."""

from __future__ import annotations

import argparse
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from feedback.errors import RunInProgress, SettingError
from include.cli import ui
from include.cli.lock import run_lock

ROOT = Path(__file__).resolve().parents[3]
HOLD = "import sys, time; from pathlib import Path; from include.cli.lock import run_lock\n"
HOLD += "with run_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_in_one_line_who_is_at_work(tmp_path, holder):
    with pytest.raises(RunInProgress) as refused, run_lock(tmp_path):
        pass

    assert f"process {holder.pid} since" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_ui_is_told_too_as_its_tasks_would_pay_for_the_same_questions(tmp_path, holder, monkeypatch):
    monkeypatch.setenv("FEEDBACK_HOME", str(tmp_path))

    with pytest.raises(RunInProgress, match=f"process {holder.pid} since"):
        ui.main(argparse.Namespace(port=8080))

    assert not (tmp_path / "airflow").exists()


def test_a_run_that_was_killed_leaves_no_lock_behind(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    with run_lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / "run.lock").read_text()


def test_a_new_home_is_for_its_owner_alone_as_customers_words_are_in_it(tmp_path):
    (tmp_path / "theirs").mkdir(mode=0o755)

    for home, mode in ((tmp_path / "new", 0o700), (tmp_path / "theirs", 0o755)):
        with run_lock(home):
            assert stat.S_IMODE(home.stat().st_mode) == mode


def test_a_home_that_cannot_be_written_is_one_line_that_names_the_variable(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingError, match=r"^FEEDBACK_HOME=.*file cannot be written"), run_lock(tmp_path / "file"):
        pass
