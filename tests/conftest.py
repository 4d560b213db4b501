"""What every test stands on: a home of its own, a migrated warehouse file, no proxy and no setting of the caller."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

for name in [name for name in os.environ if name.startswith(("FEEDBACK_", "AIRFLOW", "SNOWFLAKE_"))]:
    if name not in ("FEEDBACK_TEST_SNOWFLAKE",):
        del os.environ[name]

_HOME = Path(tempfile.mkdtemp(prefix="feedback-tests-"))
os.environ["FEEDBACK_HOME"] = str(_HOME)
os.environ["AIRFLOW_HOME"] = str(_HOME / "airflow")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what starts real processes and takes minutes a file: quick files fill the last gaps."""
    items.sort(key=lambda item: item.path.parent.name != "integration")


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory):
    """A warehouse file moved forward once; tests copy it, which is ten times faster than migrating."""
    from feedback.warehouse.duckdb import DuckDBWarehouse

    path = tmp_path_factory.mktemp("migrated") / "warehouse.duckdb"
    DuckDBWarehouse(path, ROOT / "include/sql/ddl").migrate()
    return path


@pytest.fixture
def warehouse(_migrated, tmp_path):
    """A DuckDB warehouse of the test's own, every table there and empty."""
    from feedback.warehouse.duckdb import DuckDBWarehouse

    path = tmp_path / "warehouse.duckdb"
    shutil.copy(_migrated, path)
    return DuckDBWarehouse(path, ROOT / "include/sql/ddl")


@pytest.fixture
def run():
    """The identity of a task at work."""
    from feedback.model import Run

    return Run(run_id="run_1", dag_id="a_dag", task_id="a_task")


@pytest.fixture(scope="session")
def http_server():
    """One server on loopback, for every service that a test plays."""
    from pytest_httpserver import HTTPServer

    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server
