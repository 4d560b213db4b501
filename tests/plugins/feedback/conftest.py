"""A loopback service that answers as a model would, shared by everything that asks one."""

import pytest
from pytest_httpserver import HTTPServer

from tests.plugins.feedback.llm.stand_in import StandIn


@pytest.fixture(scope="session")
def http_server():
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server


@pytest.fixture
def stand_in(http_server):
    return StandIn(http_server)
