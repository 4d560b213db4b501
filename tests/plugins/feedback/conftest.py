"""A service that answers as a model would, shared by everything that asks one."""

import pytest

from tests.plugins.feedback.llm.stand_in import StandIn


@pytest.fixture
def stand_in(http_server):
    return StandIn(http_server)
