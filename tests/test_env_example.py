"""The list for people is the list the program reads."""

import json
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

from include import settings

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".env.example").read_text(encoding="utf-8")
OFFERED = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", TEXT, re.MULTILINE))
CONNECTIONS = {
    "AIRFLOW_CONN_SNOWFLAKE_DEFAULT": "snowflake",
    "AIRFLOW_CONN_OPENAI_DEFAULT": "openai",
    "AIRFLOW_CONN_SLACK_API_DEFAULT": "slack",
    "AIRFLOW_CONN_APP_STORE_CONNECT_DEFAULT": "http",
    "AIRFLOW_CONN_GOOGLE_PLAY_DEFAULT": "http",
    "AIRFLOW_CONN_ITUNES_DEFAULT": "http",
}


class Listening(dict):
    """An empty environment that remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return default


def test_lists_every_variable_the_settings_read():
    listening = Listening()
    settings.load(listening)

    assert {name for name in OFFERED if name.startswith(("FEEDBACK_", "AIRFLOW_CONN_"))} == listening.asked


def test_lists_every_connection():
    assert {name for name in OFFERED if name.startswith("AIRFLOW_CONN_")} == set(CONNECTIONS)


def test_lists_every_secret_that_compose_demands():
    compose = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")

    assert set(re.findall(r"\$\{(\w+):\?", compose)) <= set(OFFERED)


def test_sets_nothing_as_it_stands(tmp_path):
    assert [line for line in TEXT.splitlines() if line and not line.startswith("#")] == []


def test_each_variable_is_a_line_of_its_own_with_a_word_about_it():
    block = ""
    for line in TEXT.splitlines():
        if re.match(r"#[A-Z_]+=", line):
            assert block, line
        else:
            block = line.removeprefix("# ").strip() if line.startswith("# ") else ""


@pytest.mark.parametrize("conn_id", CONNECTIONS)
def test_an_example_of_a_connection_is_read_as_one_when_uncommented(conn_id, tmp_path):
    (tmp_path / ".env").write_text(f"{conn_id}={OFFERED[conn_id]}", encoding="utf-8")
    connection = json.loads(dotenv_values(tmp_path / ".env")[conn_id])

    assert connection["conn_type"] == CONNECTIONS[conn_id]


def test_the_settings_take_every_example_that_is_given(tmp_path):
    lines = [line[1:] for line in TEXT.splitlines() if re.match(r"#FEEDBACK_[A-Z_]+=.", line)]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")

    assert settings.load({name: value or "" for name, value in dotenv_values(tmp_path / ".env").items()})
