"""The report page inside Airflow's own api-server, which reads its configuration once and so gets a process."""

import json
import os
import subprocess
import sys

import pytest

from include.cli.environment import airflow_environment

ASK = """
import json, sys
from airflow.utils.db import initdb
initdb()
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient
from pathlib import Path

with TestClient(create_app(apps="core"), base_url="http://127.0.0.1") as client:
    token = client.post("/auth/token", json={"username": "viewer", "password": "a-password"}).json()["access_token"]
    viewer = {"headers": {"Authorization": "Bearer " + token}}
    said = {"anonymous": client.get("/feedback-report/"), "missing": client.get("/feedback-report/", **viewer)}
    Path(sys.argv[1]).write_text("<h1>the report</h1>")
    said["viewer"] = client.get("/feedback-report/", **viewer)
    said["docs"] = client.get("/feedback-report/docs", **viewer)
    print(json.dumps({who: [got.status_code, got.text, dict(got.headers)] for who, got in said.items()}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    home = tmp_path_factory.mktemp("airflow")
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({"viewer": "a-password"}))
    environment = {
        **os.environ,
        **airflow_environment(home),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-in-this-test-" * 4,
        "AIRFLOW__FEEDBACK__REPORT": str(home / "index.html"),
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(home / "index.html")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_shows_the_report_to_whoever_may_read_its_dag(said):
    status, body, headers = said["viewer"]

    assert (status, body) == (200, "<h1>the report</h1>")
    assert headers["content-type"] == "text/html; charset=utf-8"


def test_shows_nothing_to_a_stranger(said):
    status, body, _ = said["anonymous"]

    assert status == 401
    assert "the report" not in body


def test_says_so_when_there_is_no_report_yet(said):
    status, body, _ = said["missing"]

    assert status == 404
    assert "triage_digest writes it" in body


def test_runs_no_script_and_is_framed_only_by_airflow(said):
    policy = said["viewer"][2]["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src" not in policy


def test_describes_itself_to_nobody(said):
    assert said["docs"][0] == 404


def test_importing_the_plugin_costs_no_component_a_web_framework():
    code = "import sys, feedback_plugin; sys.exit('fastapi' in sys.modules)"
    plugins = os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"]

    assert subprocess.run([sys.executable, "-c", code], cwd=plugins, env=dict(os.environ), check=False).returncode == 0
