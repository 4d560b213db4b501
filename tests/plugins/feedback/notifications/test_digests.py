"""A team's digest is in its channel once, whatever Slack or a kill does, and changed there when it is written anew."""

import json
from datetime import timedelta

import pytest

from feedback.digest.outbox import write_digests
from feedback.digest.team import Focus, Team
from feedback.errors import ConnectionMissing
from feedback.notifications import posting
from feedback.notifications.digests import post_digests, waiting
from tests.plugins.feedback.digest.seeded import AS_OF, say
from tests.plugins.feedback.notifications.slack_channel import killed_while_it_posts, served

TEAMS = (
    Team("slack", "Slack", (Focus(sources=("slack",)),), takes_rest=True),
    Team("store", "Store", (Focus(sources=("itunes",)),)),
)
CHANNELS = {"slack": "C1", "store": "C2"}


@pytest.fixture
def channel():
    with served() as channel:
        yield channel


@pytest.fixture(autouse=True)
def no_wait(monkeypatch):
    """Whoever was at work a moment ago is not at work any more."""
    monkeypatch.setattr(posting, "AT_WORK", timedelta(0))


@pytest.fixture
def write(warehouse, tmp_path, run):
    def write(channels=CHANNELS, days=0, **options):
        now = AS_OF + timedelta(days=days)
        return write_digests(
            warehouse, TEAMS, tmp_path / "digest", as_of=now, timezone="UTC", run=run, channels=channels, **options
        )

    say(warehouse, {"number": 1, "sentiment": "negative"}, {"number": 2, "source": "itunes", "sentiment": "negative"})
    return write


def posted(warehouse, channel, channels=CHANNELS):
    return post_digests(warehouse, channel.client, channels)


def statuses(warehouse):
    rows = warehouse.rows("select post_key, status from ops.posts order by post_key")
    return {row["post_key"].split(":")[1]: row["status"] for row in rows}


def words(message):
    return json.dumps(message["blocks"], ensure_ascii=False)


def test_each_team_has_its_digest_once_in_its_channel(warehouse, channel, write):
    (slack, _) = write().paths
    assert posted(warehouse, channel) == 2
    write()
    assert posted(warehouse, channel) == 0
    assert [message["channel"] for message in channel.messages] == ["C1", "C2"]
    body = json.loads(slack.read_text())
    assert (channel.messages[0]["text"], channel.messages[0]["blocks"]) == (body["text"], body["blocks"])
    assert statuses(warehouse) == {"slack": "posted", "store": "posted"}


def test_without_a_channel_a_digest_stays_a_file_and_no_words_of_it_in_the_warehouse(warehouse, channel, write):
    write(channels={})
    assert posted(warehouse, channel) == 0
    assert warehouse.rows("select distinct status, body from ops.posts") == [{"status": "planned", "body": None}]


def test_a_channel_set_later_does_not_get_the_digests_of_before(warehouse, channel, write):
    write(channels={})
    write()
    assert posted(warehouse, channel) == 0


def test_a_digest_written_anew_is_changed_where_it_stands(warehouse, channel, write):
    write()
    posted(warehouse, channel)
    say(warehouse, {"number": 3, "sentiment": "negative", "quote": "Heard a little later"})
    write(channels={}, force=True)
    assert posted(warehouse, channel) == 2
    assert len(channel.messages) == 2
    assert "Heard a little later" in words(channel.messages[0])
    assert posted(warehouse, channel) == 0


def test_a_digest_written_anew_while_nobody_knows_whether_it_arrived_is_there_once_as_it_is_now(
    warehouse, channel, write
):
    channel.faults = ["drop"]
    write(channels={"slack": "C1"})
    assert posted(warehouse, channel) == 0
    assert statuses(warehouse)["slack"] == "ambiguous"
    say(warehouse, {"number": 3, "sentiment": "negative", "quote": "Heard a little later"})
    write(force=True, channels={"slack": "C1"})
    assert posted(warehouse, channel) == 1
    (message,) = channel.messages
    assert "Heard a little later" in words(message)


def test_a_digest_that_people_removed_is_not_posted_again(warehouse, channel, write, caplog):
    write()
    posted(warehouse, channel)
    channel.messages.clear()
    write(force=True)
    posted(warehouse, channel)
    assert "is not changed in C1: message_not_found" in caplog.text
    assert channel.messages == []
    assert statuses(warehouse) == {"slack": "posted", "store": "posted"}


def test_what_is_new_goes_before_what_is_to_be_changed(warehouse, channel, write):
    write()
    posted(warehouse, channel)
    write(force=True)
    say(warehouse, {"number": 4, "sentiment": "negative", "posted_at": AS_OF + timedelta(hours=20)})
    write(days=1)
    channel.calls.clear()
    posted(warehouse, channel)
    assert channel.calls == ["chat.postMessage", "chat.update", "chat.update"]


def test_one_written_anew_with_nothing_to_say_leaves_what_is_posted(warehouse, channel, write):
    write()
    posted(warehouse, channel)
    warehouse.transact(["delete from feedback.items", "delete from feedback.sentiment"])
    assert write(force=True).quiet == ("slack", "store")
    assert statuses(warehouse) == {"slack": "posted", "store": "posted"}


@pytest.mark.parametrize("fault", ["refuse", "break", "drop", "lose"])
def test_whatever_slack_does_each_digest_is_there_once_in_the_end(warehouse, channel, write, fault):
    channel.faults = [fault]
    write()
    for _ in range(3):
        posted(warehouse, channel)
    assert sorted(message["channel"] for message in channel.messages) == ["C1", "C2"]
    assert statuses(warehouse) == {"slack": "posted", "store": "posted"}


def test_slack_asking_to_wait_a_moment_holds_back_nothing(warehouse, channel, write):
    channel.faults = ["throttle", "", "throttle", "throttle"]
    write()
    assert posted(warehouse, channel) == 2
    assert len(channel.messages) == 2


def test_slack_asking_to_wait_for_long_is_a_refusal(warehouse, channel, write):
    channel.faults = ["throttle"] * 3
    write()
    assert posted(warehouse, channel) == 1
    assert statuses(warehouse) == {"slack": "planned", "store": "posted"}


def test_a_channel_that_refuses_holds_back_no_other(warehouse, channel, write):
    channel.closed = {"C1"}
    write()
    assert posted(warehouse, channel) == 1
    assert waiting(warehouse) == ["digest:slack:2026-11-02"]
    assert statuses(warehouse) == {"slack": "planned", "store": "posted"}


def test_what_slack_did_not_take_one_day_is_posted_the_next_with_the_words_of_that_day(warehouse, channel, write):
    channel.closed = {"C1", "C2"}
    write()
    posted(warehouse, channel)
    say(warehouse, {"number": 4, "sentiment": "negative", "posted_at": AS_OF + timedelta(hours=20)})
    write(days=1)
    channel.closed = set()
    assert posted(warehouse, channel) == 3
    assert [json.dumps(m["blocks"][0]).count("2 November") for m in channel.messages] == [1, 1, 0]


def test_what_was_never_sent_follows_its_team_to_another_channel_and_ends_where_it_has_none(warehouse, channel, write):
    channel.closed = {"C1", "C2"}
    write()
    posted(warehouse, channel)
    assert posted(warehouse, channel, {"slack": "C3"}) == 1
    assert [message["channel"] for message in channel.messages] == ["C3"]
    assert waiting(warehouse) == []


def test_what_may_have_arrived_is_looked_for_where_it_was_sent(warehouse, channel, write):
    channel.faults = ["drop"]
    write(channels={"slack": "C1"})
    posted(warehouse, channel)
    assert posted(warehouse, channel, {"slack": "C3"}) == 1
    assert [message["channel"] for message in channel.messages] == ["C1"]


def test_when_it_was_posted_does_not_move_what_the_next_digest_covers(warehouse, channel, write):
    write()
    before = warehouse.rows("select post_key, updated_at from ops.posts")
    posted(warehouse, channel)
    assert warehouse.rows("select post_key, updated_at from ops.posts") == before


def test_slack_or_its_connection_being_away_is_no_error(warehouse, channel, write, caplog):
    write()
    channel.base_url = "http://127.0.0.1:1/api/"
    assert posted(warehouse, channel) == 0

    def missing():
        raise ConnectionMissing("connection slack_api_default is missing or has no password")

    assert post_digests(warehouse, missing, CHANNELS) == 0
    assert len(waiting(warehouse)) == 2
    assert statuses(warehouse) == {"slack": "planned", "store": "planned"}
    assert "xoxb" not in caplog.text
    assert "Something was said" not in caplog.text


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_task_that_is_killed_while_it_posts_leaves_each_digest_once(warehouse, channel, write, when):
    write()
    killed_while_it_posts(
        warehouse.path, channel, when, 'post_digests(warehouse, client, {"slack": "C1", "store": "C2"})'
    )
    for _ in range(2):
        posted(warehouse, channel)
    assert sorted(message["channel"] for message in channel.messages) == ["C1", "C2"]
