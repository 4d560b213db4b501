"""Whatever people write, edit and take back, and whatever fails meanwhile: what exists is what is stored in the end."""

import contextlib
import shutil
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from feedback.errors import SourceFailed, WarehouseError
from feedback.model import Run
from feedback.operators.extract_operator import ExtractOperator
from feedback.sources.app_store import AppStore
from feedback.sources.app_store_client import AppStoreClient
from feedback.sources.app_store_key import Key
from tests.plugins.feedback.fragile import Fragile
from tests.plugins.feedback.sources.app_store_stand_in import ISSUER, KEY_ID, AppStoreStandIn, pem
from tests.plugins.feedback.sources.stand_ins import cut, drop, html, status

APP = "111111111"
FAULTS = {"500": status(500), "429": status(429), "401": status(401), "drop": drop, "cut": cut, "html": html}

REVIEW = st.integers(0, 49).map("review-{:02}".format)
EVENTS = st.one_of(
    st.tuples(st.just("write"), REVIEW, st.sampled_from(["one", "two", "three"])),
    st.tuples(st.just("answer"), REVIEW, st.sampled_from(["thanks", None])),
    st.tuples(st.just("take back"), REVIEW),
    st.tuples(st.just("wait"), st.sampled_from([1, 6, 24, 24 * 8])),
)
RUNS = st.tuples(
    st.just("run"),
    st.lists(st.none() | st.sampled_from(sorted(FAULTS)), max_size=8),
    st.lists(EVENTS, max_size=3),
    st.none() | st.integers(0, 4),
)


class World:
    """An app whose customers write, and a warehouse that may die while they are read."""

    def __init__(self, server, clock, path, stack):
        server.clear()
        self.clock, self.runs = clock, count(1)
        self.store, self.warehouse = AppStoreStandIn(server, self.clock), Fragile(path, stack)
        for number in range(50):
            self.clock.pass_by(hours=17)
            self.write(f"review-{number:02}", "first words")

    def write(self, review_id, body):
        self.store.write(APP, review_id, body=body)

    def answer(self, review_id, reply):
        if review_id in self.store.apps[APP]:
            self.store.write(APP, review_id, reply=reply, replied_at=self.clock.now)

    def take_back(self, review_id):
        self.store.apps[APP].pop(review_id, None)

    def wait(self, hours):
        self.clock.pass_by(hours=hours)

    def do(self, event, *details):
        getattr(self, event.replace(" ", "_"))(*details)

    def run(self, faults=(), meanwhile=(), dies_after=None):
        """Read the app, while faults happen and people go on writing; the task may die, and nothing is tried again."""
        self.clock.pass_by(minutes=10)
        self.store.faults = [fault and FAULTS[fault] for fault in faults]
        events = list(meanwhile)
        self.store.before_page = lambda page: events and self.do(*events.pop())
        key = Key("app_store_connect_default", KEY_ID, ISSUER, pem(), self.clock)
        client = partial(AppStoreClient, key, self.store.base_url, self.clock.sleep)
        source = AppStore((APP,), client, self.clock.instant)
        self.warehouse.left = dies_after
        with contextlib.suppress(SourceFailed, WarehouseError):
            operator = ExtractOperator(task_id="extract", source=source, warehouse=self.warehouse)
            operator.work(Run(f"run_{next(self.runs)}", "a_dag", "extract"), {})
        self.warehouse.left = None
        self.store.faults, self.store.before_page = [], lambda page: None

    @property
    def stored(self):
        sql = "select app_id, review_id, rating, title, body, reply_text from raw.app_reviews where not is_deleted"
        return [tuple(row.values()) for row in self.warehouse.rows(sql)]


@pytest.fixture
def migrated(_migrated):
    return _migrated


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.one_of(EVENTS, RUNS, RUNS), min_size=2, max_size=8))
def test_after_anything_that_happens_what_exists_is_what_is_stored(http_server, clock, migrated, happened):
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        path = Path(shutil.copy(migrated, folder))
        world = World(http_server, clock, path, stack)
        for event, *details in happened:
            world.do(event, *details)
        world.wait(24 * 7)
        world.run()
        world.run()

        assert sorted(world.stored, key=repr) == sorted(world.store.truth, key=repr)
