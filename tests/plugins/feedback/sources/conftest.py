"""An invented Slack workspace on loopback, and a warehouse that reads it."""

import shutil
from pathlib import Path

import pytest

from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.sources.slack_house import House
from tests.plugins.feedback.sources.slack_stand_in import SlackStandIn
from tests.plugins.feedback.sources.slack_world import World

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def slack(http_server):
    return SlackStandIn(http_server, World())


@pytest.fixture
def house(warehouse, slack):
    return House(warehouse, slack)


@pytest.fixture
def another(_migrated, slack, tmp_path):
    """A second warehouse of the same workspace."""
    path = shutil.copy(_migrated, tmp_path / "another.duckdb")
    return House(DuckDBWarehouse(path, ROOT / "include/sql/ddl"), slack)
