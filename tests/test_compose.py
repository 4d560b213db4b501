"""The production shape, held to what it promises; nothing is started."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from include import settings
from include.cli.environment import POOLS

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
AIRFLOW = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")
LONG_RUNNING = sorted(set(SERVICES) - {"init"})
SECRETS = {
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_API_SECRET",
    "AIRFLOW_ADMIN_PASSWORD",
    "FEEDBACK_HASH_SALT",
}
CONNECTIONS = {
    f"AIRFLOW_CONN_{name}_DEFAULT"
    for name in ("SNOWFLAKE", "OPENAI", "SLACK_API", "APP_STORE_CONNECT", "GOOGLE_PLAY", "ITUNES")
}
SPECIFIED = {
    "build", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "ports", "restart",
    "stop_grace_period", "volumes",
}  # fmt: skip
COMPOSES = [
    command
    for command in (["docker", "compose"], ["docker-compose"])
    if shutil.which(command[0])
    and subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
]


def environment(service):
    return SERVICES[service]["environment"]


class Listening(dict):
    """An empty environment that remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def get(self, name, default=None):
        self.asked.append(name)
        return default


def variables():
    """Return every variable that include/settings.py reads."""
    listening = Listening()
    settings.load(listening)
    return set(listening.asked)


@pytest.mark.parametrize("command", COMPOSES or [None], ids=lambda command: " ".join(command or ["none"]))
def test_compose_itself_takes_the_file(command, tmp_path):
    if command is None:
        pytest.skip("neither docker compose nor docker-compose is installed; the structural checks ran")
    (tmp_path / "empty").touch()
    done = subprocess.run(
        [*command, "-f", str(ROOT / "docker-compose.yaml"), "--env-file", str(tmp_path / "empty"), "config", "-q"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **dict.fromkeys(SECRETS, "dummy")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_uses_only_what_the_compose_specification_knows():
    assert {key for key in COMPOSE if not key.startswith("x-")} == {"services", "volumes"}
    for name, service in SERVICES.items():
        assert set(service) <= SPECIFIED, name
        assert service["restart"] in ("no", "unless-stopped"), name
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert wait["condition"] in ("service_healthy", "service_completed_successfully"), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source == "." or source in COMPOSE["volumes"], name


def test_has_every_component_of_airflow_in_a_container_of_its_own():
    assert set(SERVICES) == {"postgres", "redis", *AIRFLOW}
    assert [SERVICES[name].get("command") for name in AIRFLOW[1:]] == [
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "celery worker",
    ]


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_what_runs_long_is_checked_and_started_again(service):
    assert {"test", "interval", "timeout", "retries", "start_period"} == set(SERVICES[service]["healthcheck"])
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", AIRFLOW[1:])
def test_a_component_starts_after_the_stores_are_healthy_and_init_has_ended(service):
    waits = {other: wait["condition"] for other, wait in SERVICES[service]["depends_on"].items()}

    assert (
        waits.items()
        >= {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "init": "service_completed_successfully",
        }.items()
    )


def test_init_migrates_then_makes_the_pools_and_the_admin_and_ends():
    steps = [line.split() for line in SERVICES["init"]["command"][0].splitlines()]
    pools = {step[3]: int(step[4]) for step in steps if step[:3] == ["airflow", "pools", "set"]}

    assert SERVICES["init"]["restart"] == "no"
    assert SERVICES["init"]["entrypoint"] == ["/bin/bash", "-euo", "pipefail", "-c"]
    assert steps[0] == ["airflow", "db", "migrate"]
    assert pools == {name: slots for name, (slots, _) in POOLS.items()}
    assert '"$$AIRFLOW_ADMIN_PASSWORD"' in SERVICES["init"]["command"][0]


def test_only_the_ui_is_reachable_and_only_from_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"api-server": ["127.0.0.1:8080:8080"]}
    assert not any("network_mode" in service for service in SERVICES.values())


def test_every_secret_comes_from_the_environment_and_has_no_default():
    mandatory = set(re.findall(r"\$\{(\w+):\?", TEXT))

    assert mandatory == SECRETS
    assert not [name for name in SECRETS for form in (":-", "-", "}") if f"${{{name}{form}" in TEXT]
    assert not re.search(r"(?i)(password|secret|key|salt)\w*: *[\"']?[\w/+=-]{6,}[\"']?$", TEXT, re.MULTILINE)


def test_no_secret_stands_in_a_command_line_that_compose_prints():
    commands = [
        str(service.get(part)) for service in SERVICES.values() for part in ("command", "entrypoint", "healthcheck")
    ]

    assert not [command for command in commands if "${" in command.replace("$${", "")]


def test_images_have_exact_tags():
    for name in ("postgres", "redis"):
        assert re.fullmatch(rf"{name}:\d+\.\d+(\.\d+)?-(bookworm|alpine)", SERVICES[name]["image"])
    tag = SERVICES["worker"]["image"].split(":")[1]
    assert f"FROM apache/airflow:{tag}-python3.12" in (ROOT / "Dockerfile").read_text()


def test_the_image_is_airflow_as_locked_with_the_lock_and_no_secret():
    dockerfile = (ROOT / "Dockerfile").read_text()
    locked = re.search(r"^apache-airflow==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]

    assert f"FROM apache/airflow:{locked}-" in dockerfile
    assert "--require-hashes" in dockerfile
    assert re.findall(r"^(?:USER) (.*)", dockerfile, re.MULTILINE)[-1] == "airflow"
    assert re.findall(r"^(?:COPY|ADD) (\S+)", dockerfile, re.MULTILINE) == ["requirements.txt"]
    assert not re.search(r"^(ARG|ENV)", dockerfile, re.MULTILINE)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1:] == ["*", "!requirements.txt"]


@pytest.mark.parametrize("service", AIRFLOW)
def test_the_repository_is_mounted_once_for_reading_with_the_bundle_at_its_root(service):
    volumes = SERVICES[service]["volumes"]
    [bundle] = json.loads(environment(service)["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])

    assert [volume for volume in volumes if volume.startswith(".")] == [".:/opt/airflow/bundle:ro"]
    assert bundle["kwargs"] == {"path": "/opt/airflow/bundle"}
    assert environment(service)["AIRFLOW__CORE__PLUGINS_FOLDER"] == "/opt/airflow/bundle/plugins"
    assert "PYTHONPATH" not in environment(service)


@pytest.mark.parametrize("service", AIRFLOW)
def test_state_outlives_the_containers(service):
    home = environment(service)["FEEDBACK_HOME"]

    assert f"state:{home}" in SERVICES[service]["volumes"]
    assert environment(service)["AIRFLOW__FEEDBACK__REPORT"] == f"{home}/report/index.html"


def test_nothing_starts_by_itself_and_no_example_is_there():
    shared = environment("scheduler")

    assert shared["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "true"
    assert shared["AIRFLOW__CORE__LOAD_EXAMPLES"] == "false"
    assert "FEEDBACK_EXAMPLE_WAREHOUSE" not in TEXT


def test_every_component_has_the_same_environment():
    own = {"init": {"AIRFLOW_ADMIN_PASSWORD"}, "worker": {"DUMB_INIT_SETSID"}}

    for service in AIRFLOW:
        extra = environment(service).items() - environment("scheduler").items()
        assert {name for name, _ in extra} == own.get(service, set())
    assert environment("worker")["DUMB_INIT_SETSID"] == "0"


def test_users_and_queue_are_those_of_production():
    shared = environment("worker")

    assert shared["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert shared["AIRFLOW__CORE__AUTH_MANAGER"].endswith(".FabAuthManager")
    assert "redis://:${REDIS_PASSWORD:?" in shared["AIRFLOW__CELERY__BROKER_URL"]
    assert "--requirepass" in SERVICES["redis"]["command"][-1]


def test_every_variable_of_the_settings_reaches_the_tasks():
    given = {name for name in environment("worker") if name.startswith(("FEEDBACK_", "AIRFLOW_CONN_"))}

    assert given == variables() - {"FEEDBACK_EXAMPLE_WAREHOUSE"}


def test_what_is_optional_is_passed_on_and_empty_where_it_is_unset():
    shared = environment("worker")
    fixed = {"FEEDBACK_HOME", "FEEDBACK_HASH_SALT", "FEEDBACK_WAREHOUSE"}

    for name in CONNECTIONS | {name for name in shared if name.startswith("FEEDBACK_")} - fixed:
        assert shared[name] == f"${{{name}:-}}"
    assert shared["FEEDBACK_WAREHOUSE"] == "${FEEDBACK_WAREHOUSE:-snowflake}"


def test_an_empty_variable_counts_as_unset():
    assert settings.load(dict.fromkeys(variables(), "")) == settings.load({})
