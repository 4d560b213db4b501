"""A connection opens its store, or is refused in a line that names it; its secrets are masked wherever they appear."""

import json

import pytest
from airflow.sdk._shared.secrets_masker import redact

from feedback.errors import ConnectionMissing, SettingError
from feedback.hooks.app_store_hook import AppStoreHook
from feedback.hooks.google_play_hook import GooglePlayHook
from feedback.hooks.itunes_hook import ItunesHook
from tests.plugins.feedback.sources.app_store_stand_in import ISSUER, KEY_ID, AppStoreStandIn, pem
from tests.plugins.feedback.sources.google_play_stand_in import GooglePlayStandIn, private_key
from tests.plugins.feedback.sources.itunes_stand_in import ItunesStandIn, review
from tests.plugins.feedback.sources.stand_ins import Clock

APPLE = {"login": KEY_ID, "password": pem(), "extra": {"issuer_id": ISSUER}}


@pytest.fixture
def connect(monkeypatch):
    """Set a connection, as an environment variable carries it."""

    def set_to(name, **fields):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps({"conn_type": "http", **fields}))

    return set_to


class TestAppStore:
    @pytest.mark.parametrize("password", [pem(), pem().replace("\n", "\\n"), f"\n{pem()}\n"])
    def test_opens_with_a_key_as_variables_carry_it_and_masks_it(self, password, connect, http_server):
        http_server.clear()
        store = AppStoreStandIn(http_server, Clock.of_now())
        store.write("1", "a")
        connect("APP_STORE_CONNECT_DEFAULT", **APPLE | {"password": password, "host": store.base_url})

        [page] = AppStoreHook().get_conn().pages("1")

        assert [one["id"] for one in page.reviews] == ["a"]
        assert redact(f"it said {password.strip()} and {pem().strip()}") == "it said *** and ***"

    @pytest.mark.parametrize("field", ["login", "password", "extra"])
    def test_without_a_field_is_refused_in_a_line_that_names_it(self, field, connect):
        connect("APP_STORE_CONNECT_DEFAULT", **{name: value for name, value in APPLE.items() if name != field})

        with pytest.raises(ConnectionMissing, match="app_store_connect_default has no") as refused:
            AppStoreHook().get_conn()

        assert ("issuer_id" if field == "extra" else field) in str(refused.value)

    @pytest.mark.parametrize("password", ["none", pem()[:60], private_key()])
    def test_with_what_is_no_key_is_refused_without_repeating_it(self, password, connect):
        connect("APP_STORE_CONNECT_DEFAULT", **APPLE | {"password": password})

        with pytest.raises(ConnectionMissing, match=r"app_store_connect_default: .*\.p8") as refused:
            AppStoreHook().get_conn()

        assert password not in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_sends_nothing_in_the_clear_unless_the_host_is_allowed(self, connect):
        connect("APP_STORE_CONNECT_DEFAULT", **APPLE | {"host": "http://apple.example"})

        with pytest.raises(SettingError, match=r"FEEDBACK_ALLOW_HTTP=apple\.example"):
            AppStoreHook().get_conn()
        AppStoreHook(allow_http=("apple.example",)).get_conn()


class TestGooglePlay:
    @pytest.mark.parametrize("form", [dict, json.dumps])
    def test_opens_with_an_account_as_object_or_text_and_masks_its_key(self, form, connect, http_server):
        http_server.clear()
        store = GooglePlayStandIn(http_server, Clock.of_now())
        store.write("a.b", "r")
        connect("GOOGLE_PLAY_DEFAULT", host=store.base_url, extra={"keyfile_dict": form(store.account)})

        [page] = GooglePlayHook().get_conn().pages("a.b")

        assert [one["reviewId"] for one in page] == ["r"]
        assert redact(f"it said {store.account['private_key'].strip()}") == "it said ***"

    @pytest.mark.parametrize("extra", [{}, {"keyfile_dict": "{"}, {"keyfile_dict": []}, {"keyfile_dict": {"a": 1}}])
    def test_without_an_account_is_refused(self, extra, connect):
        connect("GOOGLE_PLAY_DEFAULT", extra=extra)

        with pytest.raises(ConnectionMissing, match=r"google_play_default.*keyfile_dict"):
            GooglePlayHook().get_conn()


class TestItunes:
    @pytest.mark.parametrize("pieces", [False, True])
    def test_reads_the_feed_at_the_address_of_its_connection(self, pieces, connect, http_server):
        http_server.clear()
        store = ItunesStandIn(http_server, Clock.of_now())
        store.feeds["de:1"] = [review(1)]
        whole = {"host": store.base_url}
        connect(
            "ITUNES_DEFAULT", **{"schema": "http", "host": "127.0.0.1", "port": http_server.port} if pieces else whole
        )

        answer = ItunesHook().get_conn().get("/de/rss/customerreviews/page=1/id=1/sortby=mostrecent/json")

        assert answer.body["feed"]["entry"]["id"]["label"] == store.feeds["de:1"][0]["id"]

    def test_a_login_in_the_address_is_refused_without_repeating_it(self, connect):
        connect("ITUNES_DEFAULT", host="https://me:s3cret@feed.example")

        with pytest.raises(SettingError, match="itunes_default: its host holds a login") as refused:
            ItunesHook().get_conn()

        assert "s3cret" not in str(refused.value)

    def test_needs_no_connection(self):
        assert ItunesHook().get_conn().base_url == "https://itunes.apple.com"


@pytest.mark.parametrize(
    ("hook", "conn_id"), [(AppStoreHook, "app_store_connect_default"), (GooglePlayHook, "google_play_default")]
)
def test_a_connection_that_is_not_there_is_named_with_what_it_needs(hook, conn_id):
    with pytest.raises(ConnectionMissing, match=f"connection {conn_id} is missing: make it with .*extra"):
        hook().get_conn()
