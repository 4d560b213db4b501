"""A connection that Airflow could not read is refused: it would pass over it, and the offline model would answer."""

from __future__ import annotations

import json

import pytest

from feedback.errors import SettingError
from include import settings

KEY = "sk-canary-0123456789"
BROKEN = {
    "cut off": f'{{"conn_type": "openai", "password": "{KEY}"',
    "misspelt field": f'{{"conn_type": "openai", "pass": "{KEY}"}}',
    "port that is none": f'{{"conn_type": "openai", "password": "{KEY}", "port": "x"}}',
    "bare key": KEY,
    "uri with a port that is none": f"openai://:{KEY}@host:port/",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_connection_is_one_line_that_names_the_variable_and_not_the_key(kind):
    with pytest.raises(SettingError, match=r"^AIRFLOW_CONN_OPENAI_DEFAULT ") as refused:
        settings.load({"AIRFLOW_CONN_OPENAI_DEFAULT": BROKEN[kind]})

    assert "\n" not in str(refused.value)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        json.dumps({"conn_type": "openai", "password": KEY, "port": 8080, "extra": {}}),
        f"openai://:{KEY}@host:80/v1",
    ],
)
def test_what_airflow_reads_is_taken(value):
    assert settings.load({"AIRFLOW_CONN_OPENAI_DEFAULT": value}) == settings.load({})
