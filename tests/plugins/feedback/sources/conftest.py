"""What stands on loopback, an invented Slack workspace and the stores, and what it takes to read them."""

import shutil
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.fragile import Fragile
from tests.plugins.feedback.sources.slack_house import House
from tests.plugins.feedback.sources.slack_stand_in import SlackStandIn
from tests.plugins.feedback.sources.slack_world import World
from tests.plugins.feedback.sources.stand_ins import Clock

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


@pytest.fixture
def clock(monkeypatch):
    """The clock of the stores, and of us if a test does not say otherwise."""
    clock = Clock()
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda handler: clock.date())
    return clock


@pytest.fixture
def opened(warehouse):
    """It keeps its file open: opening it hundreds of times would be most of what these tests do."""
    with ExitStack() as stack:
        yield Fragile(warehouse.path, stack)


@pytest.fixture
def extract(opened):
    """Run the operator on a source, each time in a run of its own; return its counts."""
    runs = iter(range(1, 100))

    def extracted(source):
        operator = ExtractOperator(task_id="extract", source=source, warehouse=opened)
        return operator.work(Run(f"run_{next(runs)}", "a_dag", "extract"), {}).as_dict()

    return extracted


@pytest.fixture
def stored(opened):
    """What is stored and lives, as the stand-ins tell what exists."""

    def living():
        sql = "select app_id, review_id, rating, title, body, reply_text from raw.app_reviews where not is_deleted"
        return {tuple(row.values()) for row in opened.rows(sql)}

    return living


@pytest.fixture
def gaps(opened):
    """What could not be read: part, status and reason."""
    return lambda: [
        tuple(row.values())
        for row in opened.rows("select part, status, reason from ops.coverage order by part, reason")
    ]
