"""Variables are read once, checked, and refused in one line that names them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from feedback.errors import SettingError
from include import settings

ROOT = Path(__file__).resolve().parents[2]

UNUSABLE = {
    "FEEDBACK_WAREHOUSE": "postgres",
    "FEEDBACK_SLACK_START": "last week",
    "FEEDBACK_SLACK_DOMAIN": "https://acme.slack.com",
    "FEEDBACK_SLACK_MINUTES": "0",
    "FEEDBACK_APP_STORE_APPS": "wickerbee",
    "FEEDBACK_ITUNES_APPS": "1234567890",
    "FEEDBACK_GOOGLE_PLAY_APPS": "com.example.app, wickerbee",
    "FEEDBACK_LLM_RPM": "-1",
    "FEEDBACK_LLM_TPM": "many",
    "FEEDBACK_LLM_CONCURRENCY": "0",
    "FEEDBACK_LLM_PACK": "1.5",
    "FEEDBACK_LLM_MODE": "turbo",
    "FEEDBACK_LLM_BUDGET_USD": "nan",
    "FEEDBACK_LLM_BUDGET_USD_DAY": "-3",
    "FEEDBACK_LLM_PLAN_USD": "inf",
    "FEEDBACK_AS_OF": "yesterday",
    "FEEDBACK_SNOWFLAKE_DATABASE": "a; drop table b",
    "FEEDBACK_RETENTION_DAYS": "0",
    "FEEDBACK_STORE_EMAILS": "maybe",
    "FEEDBACK_PHONE_REGION": "Germany",
    "FEEDBACK_TIMEZONE": "Mars/Olympus",
    "FEEDBACK_DIGEST_CRON": "every morning",
}


def test_every_variable_is_optional():
    read = settings.load({})

    assert read.home == ROOT / "var"
    assert read.engine == "duckdb"
    assert read.is_sample


def test_an_empty_variable_is_an_unset_one():
    assert settings.load({"FEEDBACK_LLM_PACK": "", "FEEDBACK_AS_OF": "  "}) == settings.load({})


@pytest.mark.parametrize("variable", UNUSABLE)
def test_an_unusable_value_is_one_line_that_names_the_variable(variable):
    with pytest.raises(SettingError) as refused:
        settings.load({variable: UNUSABLE[variable]})

    assert variable in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("FEEDBACK_LLM_BUDGT_USD", "FEEDBACK_LLM_BUDGET_USD"),
        ("FEEDBACK_SLACK_EXPORTS", "FEEDBACK_SLACK_EXPORT"),
        ("FEEDBACK_GOOGLE_PLAY_CVS", "FEEDBACK_GOOGLE_PLAY_CSV"),
        ("FEEDBACK_DUCK_DB_PATH", "FEEDBACK_DUCKDB_PATH"),
    ],
)
def test_a_misspelt_variable_is_one_line_that_names_the_nearest(misspelt, meant):
    with pytest.raises(SettingError, match=rf"^{misspelt} is no variable of ours: write {meant} or unset it$"):
        settings.load({misspelt: "1"})
    assert settings.load({misspelt: ""}) == settings.load({})


def test_what_an_orchestrator_sets_for_a_service_called_feedback_stops_nobody():
    read = settings.load({"FEEDBACK_SERVICE_HOST": "10.0.0.7", "FEEDBACK_PORT_8080_TCP": "tcp://10.0.0.7:8080"})

    assert read.unread == ("FEEDBACK_PORT_8080_TCP", "FEEDBACK_SERVICE_HOST")


def test_an_instant_is_kept_in_utc_without_zone():
    read = settings.load({"FEEDBACK_AS_OF": "2026-11-02T09:00:00+02:00"})

    assert read.as_of == datetime(2026, 11, 2, 7, 0)


def test_the_sample_never_touches_a_configured_warehouse(tmp_path):
    configured = {"FEEDBACK_HOME": str(tmp_path), "FEEDBACK_DUCKDB_PATH": str(tmp_path / "mine.duckdb")}

    assert settings.load(configured).warehouse_path == tmp_path / "sample" / "warehouse.duckdb"
    with_source = settings.load(configured | {"FEEDBACK_SLACK_EXPORT": "export.zip"})
    assert with_source.warehouse_path == tmp_path / "mine.duckdb"


def test_an_asset_may_be_named_with_the_uri_its_producer_gives_it():
    read = settings.load({"FEEDBACK_WAREHOUSE_ASSET": "dwh=snowflake://acct/DB/PUBLIC/FACTS"})

    assert (read.warehouse_asset, read.warehouse_asset_uri) == ("dwh", "snowflake://acct/DB/PUBLIC/FACTS")


def test_nobody_else_reads_the_environment():
    readers = set()
    for file in [*ROOT.glob("dags/**/*.py"), *ROOT.glob("include/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                readers.add(file.relative_to(ROOT).as_posix())

    # The command line writes Airflow's configuration there, and hands the rest on to its children.
    assert readers <= {"include/settings.py"} | {
        f"include/cli/{name}.py" for name in ("environment", "components", "env_file")
    }


def test_every_variable_of_the_contract_is_read_here():
    names = set(re.findall(r'read\("([A-Z_]+)"', (ROOT / "include/settings.py").read_text()))

    assert {"HOME", "WAREHOUSE", "DUCKDB_PATH", "SLACK_EXPORT", "GOOGLE_PLAY_CSV", "ITUNES_PAGES", "HASH_SALT"} <= names


def test_plugins_of_another_api_fail_parsing_in_one_line():
    code = "import sys; sys.path[:0] = sys.argv[1:]; import feedback; feedback.API = 99; import include.settings"
    done = subprocess.run(
        [sys.executable, "-c", code, str(settings.ROOT), str(settings.ROOT / "plugins")], capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "feedback.errors.SettingError: plugins/feedback speaks API 99, include/ needs 1:"
        " roll out plugins/ first, then the bundle"
    )
