"""Where models are asked: which addresses and keys are accepted, and how a service shows that it is there."""

from __future__ import annotations

import socket

import pytest
from werkzeug import Response

from feedback.errors import ConnectionMissing, CredentialRefused, ServiceUnreachable, SettingError
from feedback.llm.service import Endpoint


@pytest.mark.parametrize(
    ("url", "is_loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://127.0.0.1.example.com/v1", False),
    ],
)
def test_only_this_machine_is_loopback(url, is_loopback):
    assert Endpoint("openai_default", url, "key").is_loopback is is_loopback


@pytest.mark.parametrize("url", ["api.openai.com/v1", "ftp://host/v1", "https:///v1", ""])
def test_an_address_that_is_no_base_url_is_named(url):
    with pytest.raises(SettingError, match="openai_default"):
        Endpoint("openai_default", url, "key")


def test_plain_http_is_for_loopback_or_hosts_allowed_by_name():
    with pytest.raises(SettingError, match="FEEDBACK_ALLOW_HTTP=models"):
        Endpoint("openai_default", "http://models/v1", "key", allow_http=("others",))

    assert Endpoint("openai_default", "http://models/v1", "key", allow_http=("models",))


def test_the_key_is_in_no_text_of_an_endpoint():
    endpoint = Endpoint("openai_default", "https://host/v1", "a-secret-key")

    assert "a-secret-key" not in f"{endpoint} {endpoint!r}"


def test_beyond_this_machine_a_key_is_needed():
    with pytest.raises(ConnectionMissing, match="password"):
        Endpoint("openai_default", "https://host/v1", "")


def test_a_service_shows_that_it_is_there(stand_in, http_server):
    asked = []

    def models(request):
        asked.append(request.headers["Authorization"])
        return Response("{}", 200 if len(asked) == 1 else 401)

    http_server.expect_request("/v1/models").respond_with_handler(models)
    endpoint = Endpoint("openai_default", stand_in.base_url, "key")

    assert endpoint.reached() == "HTTP 200"
    with pytest.raises(CredentialRefused, match="openai_default"):
        endpoint.reached()
    assert asked == ["Bearer key"] * 2


def test_a_service_that_is_not_there_is_named():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"

    with pytest.raises(ServiceUnreachable, match="openai_default"):
        Endpoint("openai_default", url, "key").reached()
