"""A home full of one author's words, made once and copied for each test."""

from __future__ import annotations

import json
import shutil

import pytest

from feedback.erasure.scope import of_author
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.conftest import ROOT
from tests.plugins.feedback.erasure.world import SLACK, STORE, World, lived_in
from tests.plugins.feedback.llm.stand_in import StandIn


@pytest.fixture
def connected(http_server, monkeypatch):
    """Let operators ask the stand-in."""
    return _connected(http_server, monkeypatch)


@pytest.fixture(scope="session")
def _lived_in(_migrated, http_server, tmp_path_factory):
    home = tmp_path_factory.mktemp("lived_in") / "home"
    home.mkdir()
    shutil.copy(_migrated, home / "warehouse.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        lived_in(home, _open(home), _connected(http_server, patch))
    return home


@pytest.fixture(scope="session")
def _erased(_lived_in, tmp_path_factory):
    home = tmp_path_factory.mktemp("erased") / "home"
    shutil.copytree(_lived_in, home)
    World(home, _open(home), None).erase(of_author(SLACK), of_author(STORE))
    return home


@pytest.fixture
def world(_lived_in, connected, tmp_path):
    """Return a world full of the words of Ada, a user of Slack who also wrote a review."""
    return _copied(_lived_in, connected, tmp_path)


@pytest.fixture
def erased(_erased, connected, tmp_path):
    """Return the same world after both of her are erased."""
    return _copied(_erased, connected, tmp_path)


def _connected(http_server, patch):
    stand_in = StandIn(http_server)
    connection = {"conn_type": "openai", "host": stand_in.base_url, "password": "a-secret-key"}
    patch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps(connection))
    return stand_in


def _copied(home, connected, folder):
    shutil.copytree(home, folder / "home")
    return World(folder / "home", _open(folder / "home"), connected)


def _open(home):
    return DuckDBWarehouse(home / "warehouse.duckdb", ROOT / "include/sql/ddl")
