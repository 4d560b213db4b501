"""What Airflow must be told before it is imported: it reads its configuration once."""

from __future__ import annotations

import contextlib
import json
import os
from importlib.metadata import version
from pathlib import Path

from include.cli import ROOT

POOLS = {
    "feedback": (4, "Reading, checking and publishing of customer feedback"),
    "feedback_llm": (1, "The one task that pays for model calls"),
    "feedback_slack": (1, "Slack's limits are per method and workspace, so one task reads"),
    "feedback_write": (1, "One writer a target"),
}
"""Our own pools, so that the company's Dags keep the default one to themselves. Slots and description."""

PARALLELISM = sum(slots for slots, _ in POOLS.values()) + 1
"""Tasks at once on one machine: all our pools full, and a place for the warehouse Dag. SQLite bears no crowd."""


def airflow_environment(airflow_home: Path) -> dict[str, str]:
    """Return the variables of an Airflow of our own in ``airflow_home``, on SQLite, seeing only this bundle."""
    bundle = {
        "name": "feedback",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(ROOT)},
    }
    return {
        "AIRFLOW_HOME": str(airflow_home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{airflow_home / 'airflow.db'}?timeout=60",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(airflow_home / "bundles"),
        "FEEDBACK_EXAMPLE_WAREHOUSE": "on",
    }


def enter(airflow_home: Path, **more: str) -> None:
    """Make this process an Airflow of our own: before ``import airflow``, and once."""
    airflow_home.mkdir(parents=True, exist_ok=True)
    os.environ.pop("PYTHONPATH", None)
    os.environ.update(airflow_environment(airflow_home) | more)


def is_migrated(airflow_home: Path) -> bool:
    """Whether the metadata database was migrated by the Airflow that is installed: to look costs seconds of its own."""
    file = _migrated(airflow_home)
    return (airflow_home / "airflow.db").exists() and file.exists() and file.read_text() == _versions()


def note_migrated(airflow_home: Path) -> None:
    """Note that the metadata database is as the installed Airflow wants it."""
    _migrated(airflow_home).write_text(_versions())


def _migrated(airflow_home: Path) -> Path:
    return airflow_home / "airflow.db.migrated"  # it goes with the database


def _versions() -> str:
    """The packages that have tables there, with their versions."""
    packages = ("apache-airflow-core", "apache-airflow-providers-fab")
    return " ".join(f"{package} {version(package)}" for package in packages)


def drop_half_made(airflow_home: Path) -> None:
    """Remove a metadata database whose making was killed: nothing is in it, and SQLite may find it locked."""
    database = airflow_home / "airflow.db"
    if database.exists() and not _is_made(database):
        for file in airflow_home.glob("airflow.db*"):
            file.unlink()


def _is_made(database: Path) -> bool:
    """Whether Airflow has stamped it, which it does last."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute("select 1 from alembic_version").fetchone() is not None
        except sqlite3.DatabaseError:
            return False


def join(airflow_home: Path) -> bool:
    """Become part of the Airflow that this machine is configured for, else of ours in ``airflow_home``.

    Returns whether there is one.
    """
    if os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"):
        return True
    if not (airflow_home / "airflow.db").exists():
        return False
    enter(airflow_home)
    return True
