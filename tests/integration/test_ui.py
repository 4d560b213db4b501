"""`make ui` as a person starts and ends it: Airflow is there, and then it is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.cli.components import is_free

ROOT = Path(__file__).resolve().parents[2]


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and those they started."""
    import psutil

    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


def alive(pids: set[int]) -> set[int]:
    import psutil

    return {pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE}


@pytest.mark.integration
@pytest.mark.timeout(200)
def test_whoever_ends_it_leaves_no_process_and_no_port_behind(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "include.cli", "ui", "--port", str(port)]
    environment = os.environ | {"FEEDBACK_HOME": str(tmp_path)}
    ui = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        for line in ui.stdout:
            if "password" in line:
                break
        started = descendants(ui.pid)
        assert len(started) >= 4
        assert not is_free(port)

        ui.send_signal(signal.SIGTERM)
        assert ui.wait(60) == 0
        time.sleep(0.5)
    finally:
        ui.kill()
        ui.stdout.close()

    assert alive(started) == set()
    assert is_free(port)
