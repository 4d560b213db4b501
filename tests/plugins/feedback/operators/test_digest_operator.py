from __future__ import annotations

import json

import pytest

from feedback.digest.team import Focus, Team
from feedback.operators.digest_operator import DigestOperator
from tests.plugins.feedback.digest.seeded import AS_OF, say, seed

TEAMS = (
    Team("store", "Store", (Focus(sources=("itunes", "google_play")),)),
    Team("nobody", "Nobody", (Focus(channels=("no-such-channel",)),)),
)


@pytest.fixture
def operator(warehouse, tmp_path):
    return DigestOperator(
        task_id="digest",
        warehouse=warehouse,
        teams=TEAMS,
        folder=tmp_path / "digest",
        as_of=None,
        uses_clock=False,
        timezone="UTC",
    )


def test_it_writes_what_teams_should_read_and_counts_it(warehouse, operator, run, tmp_path):
    seed(warehouse)

    counts = operator.work(run, {}).as_dict()

    assert counts == {"written": 1, "quiet": 1, "kept": 0, "lines": 8, "posted": 0}
    body = json.loads((tmp_path / "digest" / "2026-11-02-store.json").read_text())
    assert body["window"]["to"] == AS_OF.isoformat()


def test_a_retry_changes_nothing(warehouse, operator, run):
    seed(warehouse)
    operator.work(run, {})
    before = warehouse.rows("select * from ops.posts where status = 'planned'")

    assert operator.work(run, {}).as_dict()["kept"] == 1
    assert warehouse.rows("select * from ops.posts where status = 'planned'") == before


def test_no_word_of_a_customer_is_counted(warehouse, operator, run):
    say(warehouse, {"number": 1, "source": "itunes", "rating": 1, "sentiment": "negative", "quote": "SECRET"})

    assert "SECRET" not in json.dumps(operator.work(run, {}).as_dict())
