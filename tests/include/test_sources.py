"""What must hold of every source, and which the variables choose."""

import importlib
import json
import pkgutil
import stat
from contextlib import ExitStack
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

import feedback.sources
from feedback.errors import ConnectionMissing, InputRefused, SettingError, SourceFailed, WarehouseError
from feedback.model import Batch, Gap, Memory, Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.base import Past, Source
from feedback.sources.past import recall
from feedback.warehouse.merge import RAW
from include import settings
from include.cli.environment import POOLS
from include.known_sources import CHOSEN, KINDS, hosts, kinds
from include.sources import item_rules, salt, sources
from tests.plugins.feedback.fragile import Fragile
from tests.plugins.feedback.sources import app_store_stand_in as apple
from tests.plugins.feedback.sources import itunes_stand_in as itunes
from tests.plugins.feedback.sources.app_store_stand_in import AppStoreStandIn
from tests.plugins.feedback.sources.google_play_stand_in import GooglePlayStandIn
from tests.plugins.feedback.sources.helpdesk import TICKETS, but, put, ticket
from tests.plugins.feedback.sources.itunes_stand_in import ItunesStandIn
from tests.plugins.feedback.sources.slack_house import House
from tests.plugins.feedback.sources.slack_stand_in import SlackStandIn
from tests.plugins.feedback.sources.slack_world import World
from tests.plugins.feedback.sources.stand_ins import Clock

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
FILES = {
    "FEEDBACK_SLACK_EXPORT": FIXTURES / "slack_export",
    "FEEDBACK_GOOGLE_PLAY_CSV": FIXTURES / "google_play",
    "FEEDBACK_ITUNES_PAGES": FIXTURES / "itunes",
}


def chosen(**variables):
    return sources(settings.load({name: str(value) for name, value in variables.items()}))


def brought(found):
    """The rows of batches, by table and key."""
    batches = [one for one in found if isinstance(one, Batch)]
    keys = [(one.target, *(row[name] for name in RAW[one.target].key)) for one in batches for row in one.rows]
    return dict(zip(keys, (row for one in batches for row in one.rows), strict=True))


def helpdesk(request):
    put(request.getfixturevalue("warehouse"), ticket(1), ticket(2, None), ticket(None), ticket(3, "NUL\0"))
    put(request.getfixturevalue("warehouse"), ticket(3, "again"))
    return TICKETS


def configured(variable):
    return lambda request: chosen(**{variable: FILES[variable]})[0]


def slack(request):
    """A thread, and a channel that the app is not in."""
    house = House(request.getfixturevalue("warehouse"), SlackStandIn(request.getfixturevalue("http_server"), World()))
    general = house.world.channel("general")
    root = house.world.say(general, "half a \ud83d character")
    house.world.say(general, "NUL\0", to=root, broadcast=True)
    house.world.say(house.world.channel("outside", is_member=False), "unheard")
    return house.source("*")


def served(variable, app, name, fill):
    """A source that asks a stand-in, filled with two pages, as its variable and its connection make it."""

    def world(request):
        server, environment = request.getfixturevalue("http_server"), request.getfixturevalue("monkeypatch")
        server.clear()
        environment.setattr("feedback.sources.app_store_client.PACE_S", 0)
        environment.setattr("feedback.hooks.itunes_hook.PACE_S", 0)
        environment.setattr("feedback.sources.part_failed.ATTEMPTS", 1)
        connection = json.dumps({"conn_type": "http", **fill(server, Clock.of_now(), app)})
        environment.setenv(f"AIRFLOW_CONN_{name}", connection)
        return chosen(**{variable: app})[0]

    return world


def app_store(server, clock, app):
    store = AppStoreStandIn(server, clock)
    for number in range(30):
        store.write(app, f"review-{number}", clock.now - timedelta(hours=number), rating=number % 6)
    key = {"login": apple.KEY_ID, "password": apple.pem(), "extra": {"issuer_id": apple.ISSUER}}
    return {"host": store.base_url, **key}


def google_play(server, clock, app):
    store = GooglePlayStandIn(server, clock)
    for number in range(120):
        store.write(app, f"review-{number}", clock.now - timedelta(minutes=number), rating=number % 6)
    return {"host": store.base_url, "extra": {"keyfile_dict": store.account}}


def itunes_feed(server, clock, app):
    store = ItunesStandIn(server, clock)
    store.feeds[app] = [itunes.review(number, rating=number % 6) for number in range(60)]
    return {"host": store.base_url}


APIS = {
    "app_store": served("FEEDBACK_APP_STORE_APPS", "111", "APP_STORE_CONNECT_DEFAULT", app_store),
    "google_play": served("FEEDBACK_GOOGLE_PLAY_APPS", "a.b", "GOOGLE_PLAY_DEFAULT", google_play),
    "itunes_feed": served("FEEDBACK_ITUNES_APPS", "de:111", "ITUNES_DEFAULT", itunes_feed),
}
WORLDS = {**{variable: configured(variable) for variable in FILES}, **APIS, "a table": helpdesk, "Slack by API": slack}
"""A source of each kind, over the dirtiest world that we have for it."""


@pytest.fixture(params=WORLDS)
def source(request):
    return WORLDS[request.param](request)


class TestEverySource:
    def test_brings_rows_for_raw_tables_once_each(self, source, warehouse):
        batches = [one for one in source.extract(recall(warehouse, source.name)) if isinstance(one, Batch)]

        for batch in batches:
            keys = [tuple(row[name] for name in RAW[batch.target].key) for row in batch.rows]
            assert batch.source == source.name
            assert batch.rows
            assert len(keys) == len(set(keys))
        assert batches
        assert len({batch.load_id for batch in batches}) == len(batches)

    def test_changes_nothing_the_second_time_and_names_its_gaps_again(self, source, warehouse):
        def extracted(run_id):
            operator = ExtractOperator(task_id="extract", source=source, warehouse=warehouse)
            changed = operator.work(Run(run_id, "d", "extract"), {}).as_dict()["changed"]
            tables = {target: warehouse.rows(f"select * from {target} order by all") for target in RAW}
            gaps = warehouse.rows("select part, status, reason, detail from ops.coverage order by all")
            return changed, tables, gaps

        changed, tables, gaps = extracted("run_1")

        assert changed > 0
        assert extracted("run_2") == (0, tables, gaps)

    def test_brings_the_same_from_the_same_content(self, source, warehouse):
        past = recall(warehouse, source.name)

        assert brought(source.extract(past)) == brought(source.extract(past))

    def test_says_of_every_gap_what_it_is_in_one_line(self, source, warehouse):
        gaps = [one for one in source.extract(recall(warehouse, source.name)) if isinstance(one, Gap)]

        for gap in gaps:
            assert gap.source == source.name
            assert gap.status in ("skipped", "refused", "failed")
            assert gap.detail
            assert "\n" not in gap.detail

    def test_says_what_the_next_run_costs_and_how_it_is_and_changes_nothing(self, source, warehouse):
        past = recall(warehouse, source.name)

        expected, findings = source.expected(past), list(source.examine(past))

        assert expected.calls >= 0
        assert [one.is_fine for one in findings].count(False) == 0
        assert findings
        assert all(one.what.startswith(source.name) and "\n" not in one.line for one in findings)
        assert warehouse.rows("select * from ops.loads") == []

    def test_makes_items_that_the_gate_knows(self, source):
        assert source.item_source in kinds((TICKETS,))

    def test_is_read_in_a_pool_that_there_is(self, source):
        assert source.pool in POOLS


def test_there_is_a_world_for_every_class_of_sources(request, warehouse):
    for module in pkgutil.iter_modules(feedback.sources.__path__, "feedback.sources."):
        importlib.import_module(module.name)
    classes = {one for one in Source.__subclasses__() if one.__module__.startswith("feedback.sources.")}

    assert {type(world(request)) for world in WORLDS.values()} == classes


class TestEveryApi:
    @pytest.fixture(params=APIS)
    def source(self, request):
        return APIS[request.param](request)

    @pytest.fixture
    def fragile(self, warehouse):
        with ExitStack() as stack:
            yield Fragile(warehouse.path, stack)

    def test_brings_live_rows_and_remembers_after_them(self, source):
        *found, last = source.extract(Past())

        assert {batch.is_live for batch in found if isinstance(batch, Batch)} == {True}
        assert isinstance(last, Memory)

    def test_a_service_that_is_not_there_is_a_line_that_names_it(self, source, fragile, http_server):
        http_server.clear()
        operator = ExtractOperator(task_id="extract", source=source, warehouse=fragile)

        with pytest.raises(SourceFailed, match=rf"{source.name}: .* at http://127\.0\.0\.1"):
            operator.work(Run("run_1", "a_dag", "extract"), {})

    def test_killed_at_any_commit_it_ends_with_the_same_rows_and_then_changes_nothing(self, source, fragile):
        def run(number):
            operator = ExtractOperator(task_id="extract", source=source, warehouse=fragile)
            return operator.work(Run(f"run_{number}", "a_dag", "extract"), {}).as_dict()

        for commits in range(20):
            fragile.left = commits
            try:
                run(commits)
                break
            except WarehouseError:
                pass
        fragile.left = None
        before = fragile.rows("select * from raw.app_reviews order by all")

        counts = run("after")

        keys = [(row["store"], row["app_id"], row["review_id"]) for row in before]
        assert 1 <= commits < 20
        assert len(keys) == len(set(keys)) in (25, 50, 100)
        assert (counts["rows"], counts["deleted"]) == (0, 0)
        assert fragile.rows("select * from raw.app_reviews order by all") == before


@pytest.mark.parametrize(
    "kind", [kind for kind in CHOSEN if fields(kind)[0].name == "path"], ids=lambda kind: kind.__name__
)
class TestEveryFile:
    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\xd8", b"{", b"[[1]]", b"a,b\n1,2\n"])
    def test_takes_broken_input_as_a_gap(self, kind, content, tmp_path):
        for name in ("general/2026-10-01.json", "page.json", "reviews.csv"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)

        found = list(kind(tmp_path).extract(Past()))

        assert [one for one in found if isinstance(one, Batch) and one.target != "raw.slack_channels"] == []
        assert "refused" in [one.status for one in found if isinstance(one, Gap)]

    @pytest.mark.parametrize("look", ["extract", "examine"])
    def test_fails_where_there_is_nothing(self, kind, look, tmp_path):
        with pytest.raises(InputRefused, match="nowhere does not exist: correct FEEDBACK_"):
            list(getattr(kind(tmp_path / "nowhere"), look)(Past()))


class TestKnownSources:
    def test_what_your_own_bring_is_known_to_the_gate_and_linked_where_you_say(self):
        calls = but(name="calls", hosts=("calls.example.com",))

        assert kinds((TICKETS, calls)) == (*KINDS, "tickets", "calls")
        assert hosts((TICKETS, calls)) == ("calls.example.com",)

    @pytest.mark.parametrize("name", ["slack", "itunes_pages", "tickets"])
    def test_a_name_that_is_taken_is_refused(self, name):
        with pytest.raises(SettingError, match=f"include/known_sources.py: there is a source {name} already"):
            kinds((TICKETS, but(name=name)))

    @pytest.mark.parametrize("name", ["Tickets", "my tickets", "", "a'b", "1st"])
    def test_a_name_that_cannot_stand_in_an_id_is_refused(self, name):
        with pytest.raises(SettingError, match="a source cannot be named"):
            kinds((but(name=name),))

    @pytest.mark.parametrize("host", ["https://support.example.com", "example", "Support.Example.com", "a.b/%", ""])
    def test_what_is_no_host_is_refused(self, host):
        with pytest.raises(SettingError, match=r"tickets: .* is no host such as support\.example\.com"):
            hosts((but(hosts=(host,)),))

    def test_they_are_read_beside_what_variables_name_and_instead_of_the_sample(self, monkeypatch):
        monkeypatch.setattr("include.known_sources.OWN", (TICKETS,))

        assert chosen() == (TICKETS,)
        assert [one.name for one in chosen(**FILES)] == ["slack_export", "google_play_csv", "itunes_pages", "tickets"]
        assert settings.load({}).reads_api


def test_without_any_variable_the_sample_is_read():
    assert {"sample"} == {source.path.parent.name for source in chosen()}


def test_only_what_a_variable_names_is_read():
    assert [s.name for s in chosen(FEEDBACK_ITUNES_PAGES=FIXTURES / "itunes")] == ["itunes_pages"]


def test_the_export_hears_of_team_channels_and_addresses():
    export, _ = chosen(
        FEEDBACK_SLACK_EXPORT=FIXTURES / "slack_export",
        FEEDBACK_SLACK_CHANNELS="secret",
        FEEDBACK_SLACK_TEAM="T1",
        FEEDBACK_STORE_EMAILS="on",
    )

    assert (export.channels, export.team, export.store_emails) == (("secret",), "T1", True)


def test_the_api_hears_of_channels_start_minutes_and_the_instant_taken_as_now():
    [api] = chosen(
        FEEDBACK_SLACK_CHANNELS="general,C1",
        FEEDBACK_SLACK_START="2026-10-01",
        FEEDBACK_SLACK_MINUTES="90",
        FEEDBACK_AS_OF="2026-11-01T00:00:00Z",
    )

    assert (api.channels, api.start, api.minutes) == (("general", "C1"), date(2026, 10, 1), 90)
    assert api.clock.now() == datetime(2026, 11, 1)


def test_channels_named_for_an_export_need_no_connection():
    _, beside_export = chosen(FEEDBACK_SLACK_EXPORT=FIXTURES / "slack_export", FEEDBACK_SLACK_CHANNELS="secret")
    [alone] = chosen(FEEDBACK_SLACK_CHANNELS="general")

    assert list(beside_export.extract(Past())) == []
    with pytest.raises(ConnectionMissing, match="slack_api_default"):
        list(alone.extract(Past()))


def test_an_app_is_read_through_one_door_only():
    with pytest.raises(SettingError, match=r"app 1234567890 is in FEEDBACK_APP_STORE_APPS and in FEEDBACK_ITUNES_APPS"):
        chosen(FEEDBACK_APP_STORE_APPS="1234567890", FEEDBACK_ITUNES_APPS="us:1234567890")


class TestSalt:
    def test_is_generated_once_and_only_we_may_read_it(self, tmp_path):
        home = settings.load({"FEEDBACK_HOME": str(tmp_path / "home")})

        first = salt(home)

        assert salt(home) == first
        assert stat.S_IMODE((tmp_path / "home/hash_salt").stat().st_mode) == 0o600
        assert [file.name for file in (tmp_path / "home").iterdir()] == ["hash_salt"]

    def test_is_what_the_variable_says(self, tmp_path):
        assert salt(settings.load({"FEEDBACK_HASH_SALT": "ours"})) == b"ours"

    def test_has_to_be_set_on_snowflake(self):
        home = settings.load({"FEEDBACK_WAREHOUSE": "snowflake", "FEEDBACK_ITUNES_PAGES": "x"})

        with pytest.raises(SettingError, match="FEEDBACK_HASH_SALT"):
            salt(home)

    def test_is_not_made_before_it_is_needed(self, tmp_path):
        item_rules(settings.load({"FEEDBACK_HOME": str(tmp_path)}))

        assert json.dumps([file.name for file in tmp_path.iterdir()]) == "[]"
