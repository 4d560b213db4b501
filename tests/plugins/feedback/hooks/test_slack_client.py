"""The client of Slack is what the connection says, tries nothing again, says nothing, and keeps its token."""

import json
import logging

import pytest
from pytest_httpserver import HTTPServer
from slack_sdk.errors import SlackApiError
from werkzeug import Response

from feedback.errors import ConnectionMissing, SettingError
from feedback.hooks.slack_client import slack_client

VARIABLE = "AIRFLOW_CONN_SLACK_API_DEFAULT"
TOKEN = "xoxb-secret"


@pytest.fixture
def connected(monkeypatch, http_server):
    """Set the connection; its base URL is the server's unless another is given."""
    http_server.clear()

    def connect(base_url=None, password=TOKEN):
        base_url = base_url or f"http://127.0.0.1:{http_server.port}/api/"
        connection = {"conn_type": "slack", "password": password, "extra": {"base_url": base_url}}
        monkeypatch.setenv(VARIABLE, json.dumps(connection))

    return connect


def test_it_asks_where_the_connection_says_and_nothing_twice(connected, http_server):
    connected()
    http_server.expect_request("/api/auth.test").respond_with_json({"ok": False, "error": "x"}, status=500)

    with pytest.raises(SlackApiError):
        slack_client("slack_api_default").api_call("auth.test")

    [(request, _)] = http_server.log
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_no_redirect_takes_the_token_along(connected, http_server):
    with HTTPServer(host="127.0.0.1", port=0) as elsewhere:
        elsewhere.expect_request("/").respond_with_json({"ok": True})
        there = Response(status=302, headers={"Location": f"http://localhost:{elsewhere.port}/"})
        connected()
        http_server.expect_request("/api/auth.test").respond_with_response(there)

        slack_client("slack_api_default").api_call("auth.test")

        [(request, _)] = elsewhere.log
    assert "Authorization" not in request.headers


def test_what_customers_say_reaches_no_log(connected, http_server, caplog):
    connected()
    http_server.expect_request("/api/a").respond_with_json({"ok": True, "messages": [{"text": "a canary"}]})
    http_server.expect_request("/api/b").respond_with_data("a canary, no JSON")

    with caplog.at_level(logging.DEBUG):
        client = slack_client("slack_api_default")
        client.api_call("a")
        with pytest.raises(SlackApiError):
            client.api_call("b")

    assert "canary" not in caplog.text


@pytest.mark.parametrize("password", [None, ""])
def test_a_connection_without_a_token_is_named_or_means_that_nothing_is_read(connected, password):
    connected(password=password)

    with pytest.raises(ConnectionMissing, match="connection slack_api_default is missing or has no password"):
        slack_client("slack_api_default")
    assert slack_client("slack_api_default", is_required=False) is None


def test_a_token_never_travels_in_the_clear(connected):
    connected(base_url="http://proxy.example/api/")

    with pytest.raises(SettingError, match=r"FEEDBACK_ALLOW_HTTP=proxy\.example"):
        slack_client("slack_api_default")
    assert slack_client("slack_api_default", allow_http=("proxy.example",)).base_url == "http://proxy.example/api/"
