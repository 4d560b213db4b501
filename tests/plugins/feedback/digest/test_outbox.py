from __future__ import annotations

import json
from datetime import timedelta

import pytest

from feedback.digest.outbox import write_atomically, write_digests
from feedback.digest.team import Focus, Team
from feedback.model import utc_now
from feedback.warehouse import merge
from tests.plugins.feedback.digest.seeded import AS_OF, say

TEAMS = (Team("slack", "Slack", (Focus(sources=("slack",)),)), Team("store", "Store", (Focus(sources=("itunes",)),)))


@pytest.fixture
def write(warehouse, tmp_path, run):
    def write(days=0, teams=TEAMS, **options):
        now = AS_OF + timedelta(days=days)
        return write_digests(warehouse, teams, tmp_path / "digest", as_of=now, timezone="UTC", run=run, **options)

    return write


def posts(warehouse):
    rows = warehouse.rows("select * from ops.posts order by post_key")
    return {row["post_key"]: row for row in rows}


def test_each_team_gets_a_file_and_a_row_and_a_quiet_one_a_row(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})

    written = write()

    assert [path.name for path in written.paths] == ["2026-11-02-slack.json"]
    assert json.loads(written.paths[0].read_text())["blocks"][0]["type"] == "header"
    assert written.quiet == ("store",)
    rows = posts(warehouse)
    assert rows["digest:slack:2026-11-02"]["status"] == "planned"
    assert rows["digest:slack:2026-11-02"]["window_to"] == AS_OF
    assert rows["digest:store:2026-11-02"]["status"] == "quiet"


def test_a_digest_tells_what_the_gate_warned_of_since_the_last_one(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    verdict = {"run_id": "r", "subject": "sentiment", "slice": "slack", "severity": "warning", "outcome": "fail"}
    verdict |= {"failed": 60, "total": 60, "decision": "publish", "rule": "label_drift"}
    merge.append(warehouse, "ops.validations", [verdict | {"checked_at": utc_now()}])
    old = {"rule": "unknown_rate", "checked_at": utc_now() - timedelta(days=3)}
    merge.append(warehouse, "ops.validations", [verdict | old])

    (path,) = write().paths

    last = json.loads(path.read_text())["blocks"][-1]["elements"][0]["text"]
    assert last == "Read with care, the gate warns: sentiment label_drift"


def warned(warehouse, **columns):
    verdict = {"run_id": "r", "subject": "sentiment", "slice": "slack", "severity": "warning", "outcome": "fail"}
    verdict |= {"failed": 60, "total": 60, "decision": "publish", "rule": "label_drift", "checked_at": utc_now()}
    merge.append(warehouse, "ops.validations", [verdict | columns])


REST = (*TEAMS, Team("rest", "Rest", (Focus(channels=("nowhere",)),), takes_rest=True))


@pytest.mark.parametrize(("teams", "reader"), [(REST, "rest"), (TEAMS, "slack")])
def test_on_a_day_without_anything_to_read_what_the_gate_warns_of_is_read_by_one_team(warehouse, write, teams, reader):
    warned(warehouse)

    written = write(teams=teams)

    assert [path.name for path in written.paths] == [f"2026-11-02-{reader}.json"]
    assert set(written.quiet) == {team.name for team in teams} - {reader}
    body = json.loads(written.paths[0].read_text())
    assert body["lines"] == []
    assert body["text"].endswith("The gate warns of 1 finding, see the end.")
    assert "sentiment label_drift" in body["blocks"][-1]["elements"][0]["text"]


def test_a_warning_is_told_once(warehouse, write):
    warned(warehouse, checked_at=utc_now() - timedelta(hours=1))

    assert len(write(teams=REST).paths) == 1
    assert write(days=1, teams=REST).paths == ()


@pytest.mark.parametrize("harmless", [{"severity": "info"}, {"outcome": "pass"}, {"outcome": "not_enough_history"}])
def test_what_is_no_warning_leaves_a_quiet_day_quiet(warehouse, write, harmless):
    warned(warehouse, **harmless)

    assert write(teams=REST).paths == ()


def test_a_second_run_of_the_day_leaves_the_digest_alone(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    (path,) = write().paths
    before = path.read_bytes(), posts(warehouse)["digest:slack:2026-11-02"]
    say(warehouse, {"number": 2, "sentiment": "negative", "posted_at": AS_OF - timedelta(hours=1)})

    again = write()

    assert again.kept == ("slack",)
    assert (path.read_bytes(), posts(warehouse)["digest:slack:2026-11-02"]) == before


def test_force_writes_the_same_window_again(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    write()
    say(warehouse, {"number": 2, "sentiment": "negative", "quote": "more"})

    (path,) = write(force=True).paths

    body = json.loads(path.read_text())
    assert len(body["lines"]) == 2
    assert body["window"]["from"] == "2026-10-26T18:00:00"


def test_a_quiet_day_may_still_become_a_digest(warehouse, write):
    write()
    say(warehouse, {"number": 1, "sentiment": "negative"})

    assert [path.name for path in write().paths] == ["2026-11-02-slack.json"]


def test_the_next_day_begins_where_the_last_digest_ended(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    write()
    say(warehouse, {"number": 2, "sentiment": "negative", "posted_at": AS_OF + timedelta(hours=20), "quote": "new"})

    (path,) = write(days=1).paths

    body = json.loads(path.read_text())
    assert [line["item_id"] for line in body["lines"]] == ["slack:t:00002"]
    assert body["window"] == {"from": "2026-11-02T18:00:00", "to": "2026-11-03T18:00:00"}


def test_a_digest_never_reaches_back_more_than_a_week(warehouse, write):
    say(warehouse, {"number": 1, "sentiment": "negative"})
    write()
    say(warehouse, {"number": 2, "sentiment": "negative", "posted_at": AS_OF + timedelta(days=29)})

    (path,) = write(days=30).paths

    assert json.loads(path.read_text())["window"]["from"] == "2026-11-25T18:00:00"


def test_a_file_is_whole_or_the_old_one(tmp_path):
    path = tmp_path / "deep" / "page.html"
    write_atomically(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half \ud83d")

    assert path.read_text() == "old"
