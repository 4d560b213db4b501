"""Airflow's components as processes of ours: started together, watched, and all gone afterwards.

`airflow standalone` leaves children behind when it dies; sessions of our own can be emptied.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from feedback.errors import FeedbackError
from include.cli.environment import POOLS, airflow_environment

COMMANDS = {
    "api-server": ["api-server"],
    # The log servers would listen on 0.0.0.0; logs are files on this machine anyway.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
GRACE_SECONDS = 15


class Components:
    """The four components of an Airflow in ``airflow_home``, alive inside the context.

    :param port: of the api-server, on 127.0.0.1.
    :param extra: variables on top of the caller's; its own ``AIRFLOW__`` configuration is left out.
    """

    def __init__(self, airflow_home: Path, port: int, extra: dict[str, str] | None = None):
        self.airflow_home = airflow_home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.password = _password(airflow_home)
        self.environment = _environment(airflow_home, port) | (extra or {})
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Components:
        if not is_free(self.port):
            raise FeedbackError(f"port {self.port} on 127.0.0.1 is taken: choose another with --port")
        self._airflow("db", "migrate")
        for name, (slots, description) in POOLS.items():
            self._airflow("pools", "set", name, str(slots), description)
        try:
            for name, command in COMMANDS.items():
                self.processes[name] = self._start(name, command)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _airflow(self, *arguments: str) -> None:
        log = self.airflow_home / "setup.log"
        with log.open("ab") as file:
            done = subprocess.run(
                _command(*arguments), env=self.environment, cwd=self.airflow_home, stdout=file, stderr=file
            )
        if done.returncode:
            raise FeedbackError(f"airflow {' '.join(arguments[:2])} failed; see {log}")

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.airflow_home / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                _command(*command),
                env=self.environment,
                cwd=self.airflow_home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Children stay in the session, so that none can be left behind.
                start_new_session=True,
            )

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """Call Airflow's REST API and return its JSON."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=15) as answer:
            return json.load(answer)

    def token(self) -> str:
        """Log in as admin."""
        answer = self.call("POST", "/auth/token", {"username": "admin", "password": self.password})
        return str(answer["access_token"])

    def check(self) -> dict[str, str | None]:
        """Return each component's health as Airflow sees it.

        :raises FeedbackError: one of our processes has ended; the line names its log.
        """
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise FeedbackError(
                    f"{name} ended with {process.returncode}; see {self.airflow_home / (name + '.log')}"
                )
        try:
            health = self.call("GET", "/api/v2/monitor/health")
        except (OSError, ValueError):
            return {}
        return {name: state["status"] for name, state in health.items()}

    def wait_until_healthy(self, seconds: float = 120) -> None:
        """Return when every component reports itself healthy.

        :raises FeedbackError: the deadline passed, or a component ended.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            health = self.check()
            if health and all(status == "healthy" for status in health.values()):
                return
            time.sleep(0.3)
        raise FeedbackError(f"Airflow was not healthy after {seconds:.0f} s: {self.check()}; see {self.airflow_home}")

    def stop(self) -> None:
        """End every process of every component, kindly first."""
        sessions = {process.pid for process in self.processes.values()}
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline and any(process.poll() is None for process in self.processes.values()):
            time.sleep(0.1)
        _end(sessions)
        for process in self.processes.values():
            process.wait(GRACE_SECONDS)


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def members(sessions: set[int]) -> list[int]:
    """Return the living processes of these sessions; a zombie has ended already."""
    import psutil

    found = []
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(OSError):  # it has ended since, or is none that we may look at
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getsid(process.pid) in sessions:
                found.append(process.pid)
    return found


def _end(sessions: set[int]) -> None:
    """Kill until nobody is left: a process may fork while it is looked for, and dies a little after it was told to."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := members(sessions)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _environment(airflow_home: Path, port: int) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH"
        and (not name.startswith("AIRFLOW") or name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_")))
    }
    return (
        kept
        | airflow_environment(airflow_home)
        | {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(32),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow_home / "passwords.json"),
            "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1,localhost"])),
            "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1,localhost"])),
        }
    )


def _password(airflow_home: Path) -> str:
    """Return the admin's password, minted at the first start and readable by its owner alone."""
    airflow_home.mkdir(parents=True, exist_ok=True)
    file = airflow_home / "passwords.json"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(json.dumps({"admin": secrets.token_urlsafe(12)}))
    return str(json.loads(file.read_text())["admin"])
