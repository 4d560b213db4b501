"""Slack hears of an incident once, whatever fails on the way: a refusal, a 500, a dropped connection, a kill."""

import json
from datetime import timedelta

import pytest

from feedback.notifications import posting
from feedback.notifications.calling import CLOSED, PERHAPS
from feedback.notifications.incidents import is_well, meet
from feedback.notifications.telling import tell
from tests.plugins.feedback.notifications.slack_channel import killed_while_it_posts, served

MESSAGE = {
    "dag_id": "enrich_feedback",
    "run_id": "run_1",
    "what": "sentiment not published",
    "sentence": "enrich_feedback did not publish sentiment: answered_once 3/80 <!channel>",
    "rules": [
        {
            "subject": "sentiment",
            "rule": "answered_once",
            "severity": "critical",
            "outcome": "fail",
            "failed": 3,
            "total": 80,
            "measured": 3.0,
            "bound": 0.0,
        }
    ],
    "examples": ["label_known: slack:T:C:1"],
    "runbook": ["answered_once: File a bug."],
    "cost_usd": 0.25,
    "links": {"Task in Airflow": "http://localhost:8080/dags/x?a=1&b=2", "Report": ""},
}


@pytest.fixture
def channel():
    with served() as channel:
        yield channel


@pytest.fixture(autouse=True)
def no_wait(monkeypatch):
    """Whoever was at work a moment ago is not at work any more."""
    monkeypatch.setattr(posting, "AT_WORK", timedelta(0))


def told(warehouse, channel, to="C1"):
    return tell(warehouse, to, channel.client)


def posts(warehouse):
    return {row["post_key"]: row["status"] for row in warehouse.rows("select post_key, status from ops.posts")}


def places(warehouse):
    return {row["key"]: row["channel"] for row in warehouse.rows("select key, channel from ops.incidents")}


def test_an_incident_is_one_message_however_often_it_is_told(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    assert told(warehouse, channel) == 1
    assert told(warehouse, channel) == 0
    (message,) = channel.messages
    (incident,) = warehouse.rows("select channel, message_ts from ops.incidents")
    assert incident == {"channel": "C1", "message_ts": message["ts"]}


def test_a_message_says_what_happened_what_it_cost_and_what_to_do(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    words = json.dumps(channel.messages[0]["blocks"])
    for said in (
        "sentiment not published",
        "3 of 80 failed",
        "slack:T:C:1",
        "File a bug.",
        "US$ 0.2500",
        "a=1&amp;b=2",
    ):
        assert said in words
    assert "<!channel>" not in words + channel.messages[0]["text"]


def test_an_incident_that_lasts_goes_on_in_its_thread_and_ends_there(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    for _ in range(2):
        meet(warehouse, "k", "run_2", MESSAGE)
        told(warehouse, channel)
    is_well(warehouse, "k")
    assert told(warehouse, channel) == 1
    assert told(warehouse, channel) == 0
    root, again, end = channel.messages
    assert {again["thread_ts"], end["thread_ts"]} == {root["ts"]}
    assert again["text"].startswith("Still so, in run 2")
    assert end["text"] == "Recovered, after 2 runs: k."


def test_what_another_task_of_the_run_adds_stands_in_the_thread(warehouse, channel):
    for subjects in ("sentiment", "intent, sentiment"):
        meet(warehouse, "k", "run_1", MESSAGE | {"sentence": f"did not publish {subjects}"})
        told(warehouse, channel)
    root, more = channel.messages
    assert more["thread_ts"] == root["ts"]
    assert more["text"] == "Also: did not publish intent, sentiment"


def test_an_incident_goes_on_in_its_own_channel_when_the_setting_names_another(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    meet(warehouse, "k", "run_2", MESSAGE)
    meet(warehouse, "l", "run_2", MESSAGE)
    assert told(warehouse, channel, to="C2") == 2
    is_well(warehouse, "k")
    assert told(warehouse, channel, to="C2") == 1
    said = {(message["channel"], "thread_ts" in message) for message in channel.messages}
    assert said == {("C1", False), ("C1", True), ("C2", False)}
    assert places(warehouse) == {"k": "C1", "l": "C2"}


def test_an_incident_that_its_channel_refused_follows_the_setting(warehouse, channel):
    channel.closed = {"C1"}
    meet(warehouse, "k", "run_1", MESSAGE)
    assert told(warehouse, channel) == 0
    assert told(warehouse, channel, to="C2") == 1
    is_well(warehouse, "k")
    assert told(warehouse, channel, to="C1") == 1
    assert [message["channel"] for message in channel.messages] == ["C2", "C2"]
    assert places(warehouse) == {"k": "C2"}


def test_a_message_that_may_have_arrived_is_looked_for_where_it_was_sent(warehouse, channel):
    channel.faults = ["drop"]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    told(warehouse, channel, to="C2")
    assert [message["channel"] for message in channel.messages] == ["C1"]
    assert places(warehouse) == {"k": "C1"}


def test_two_incidents_at_once_are_two_messages(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    meet(warehouse, "l", "run_1", MESSAGE)
    assert told(warehouse, channel) == 2
    assert len(channel.roots) == 2


def test_what_was_over_before_it_was_told_is_not_told(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    is_well(warehouse, "k")
    assert told(warehouse, channel) == 0


@pytest.mark.parametrize("fault", ["refuse", "break", "drop", "lose", "page", *PERHAPS])
def test_whatever_slack_does_the_message_is_there_once_in_the_end(warehouse, channel, fault):
    channel.faults = [fault]
    meet(warehouse, "k", "run_1", MESSAGE)
    assert told(warehouse, channel) == 0
    assert posts(warehouse) != {}
    for _ in range(2):
        told(warehouse, channel)
    assert len(channel.messages) == 1
    assert set(posts(warehouse).values()) == {"posted"}


@pytest.mark.parametrize("fault", ["break", "drop", "lose", "page", *PERHAPS])
def test_what_may_have_arrived_is_ambiguous_and_not_sent_again_while_the_channel_cannot_be_read(
    warehouse, channel, fault
):
    """However often it is tried meanwhile: what was sent long before is still looked for."""
    channel.faults = [fault]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    channel.is_unreadable = True
    for _ in range(2):
        warehouse.transact(["update ops.posts set taken_at = taken_at - interval '1 hour'"])
        assert told(warehouse, channel) == 0
        assert set(posts(warehouse).values()) == {"ambiguous"}
    channel.is_unreadable = False
    assert told(warehouse, channel) == 1
    assert len(channel.messages) == 1
    assert channel.calls.count("chat.postMessage") == (2 if fault == "lose" else 1)


def test_what_was_sent_hours_ago_is_found_where_it_stands(warehouse, channel):
    channel.faults = ["drop"]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    hours = timedelta(hours=5)
    channel.messages[0]["ts"] = f"{float(channel.messages[0]['ts']) - hours.total_seconds():.6f}"
    warehouse.transact(["update ops.posts set tried_at = tried_at - interval '5 hours'"])
    channel.is_unreadable = True
    told(warehouse, channel)
    channel.is_unreadable = False
    told(warehouse, channel)
    assert len(channel.messages) == 1


def one_is_poison(warehouse, channel, error):
    """Three incidents are owed; Slack answers the first of them with an error."""
    channel.errors = {"Poison": error}
    for key, sentence in (("k", "Poison"), ("l", "Bread"), ("m", "Water")):
        meet(warehouse, key, "run_1", MESSAGE | {"sentence": sentence})


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long"])
def test_a_post_that_slack_refuses_holds_back_no_other(warehouse, channel, error):
    one_is_poison(warehouse, channel, error)
    assert told(warehouse, channel) == 2
    assert sorted(posts(warehouse).values()) == ["planned", "posted", "posted"]
    channel.errors = {}
    assert told(warehouse, channel) == 1


@pytest.mark.parametrize("error", CLOSED)
def test_a_channel_that_is_closed_to_the_app_is_asked_once_a_time(warehouse, channel, error):
    channel.errors = {"": error}
    for key in "kl":
        meet(warehouse, key, "run_1", MESSAGE)
    assert told(warehouse, channel) == 0
    assert channel.calls == ["chat.postMessage"]


@pytest.mark.parametrize("fault", ["", "drop"])
def test_a_reply_to_a_message_that_people_removed_is_owed_no_more(warehouse, channel, fault):
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    channel.faults = [fault]
    is_well(warehouse, "k")
    if fault:
        assert told(warehouse, channel) == 0
    channel.messages.clear()
    meet(warehouse, "l", "run_2", MESSAGE)
    told(warehouse, channel)
    calls = len(channel.calls)
    assert told(warehouse, channel) == 0
    assert len(channel.calls) == calls
    assert set(posts(warehouse).values()) == {"posted"}
    assert len(channel.messages) == 1


@pytest.mark.parametrize("error", PERHAPS)
def test_a_post_at_which_slack_always_fails_holds_back_no_other(warehouse, channel, error):
    one_is_poison(warehouse, channel, error)
    assert told(warehouse, channel) == 2
    assert sorted(posts(warehouse).values()) == ["ambiguous", "posted", "posted"]


def test_a_channel_too_busy_to_look_for_a_post_holds_back_no_other(warehouse, channel, monkeypatch):
    channel.faults = ["lose"]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    monkeypatch.setattr(posting, "PAGES", 0)
    meet(warehouse, "l", "run_1", MESSAGE)
    assert told(warehouse, channel) == 1
    assert sorted(posts(warehouse).values()) == ["ambiguous", "posted"]


@pytest.mark.parametrize("error", ["is_archived", "channel_not_found"])
@pytest.mark.parametrize("is_over", [True, False])
def test_a_reply_in_a_channel_that_is_gone_ends_with_one_line(warehouse, channel, caplog, error, is_over):
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    channel.errors = {"": error}
    if is_over:
        is_well(warehouse, "k")
    else:
        meet(warehouse, "k", "run_2", MESSAGE)
    assert told(warehouse, channel) == 0
    calls = len(channel.calls)
    for _ in range(2):
        assert told(warehouse, channel) == 0
    assert len(channel.calls) == calls
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("feedback.")]
    assert f"its thread in C1 is gone ({error})" in line


def test_an_open_incident_whose_channel_is_gone_begins_anew_where_the_setting_leads(warehouse, channel):
    for key in "kl":
        meet(warehouse, key, "run_1", MESSAGE)
    told(warehouse, channel)
    channel.gone = {"C1"}
    meet(warehouse, "k", "run_2", MESSAGE)
    is_well(warehouse, "l")
    for _ in range(3):
        told(warehouse, channel, to="C2")
    meet(warehouse, "k", "run_3", MESSAGE)
    for _ in range(3):
        told(warehouse, channel, to="C3")
    *_, anew, going_on = channel.messages
    assert [(message["channel"], message.get("thread_ts")) for message in channel.messages[2:]] == [
        ("C2", None),
        ("C2", anew["ts"]),
    ]
    assert going_on["text"].startswith("Still so, in run 3")
    assert places(warehouse) == {"k": "C2", "l": "C1"}


def test_slack_being_away_is_no_error(warehouse, channel):
    meet(warehouse, "k", "run_1", MESSAGE)
    channel.base_url = "http://127.0.0.1:1/api/"
    assert told(warehouse, channel) == 0


def test_the_text_of_an_error_is_not_logged(warehouse, channel, caplog):
    channel.faults = ["refuse"]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    assert "invalid_auth" in caplog.text
    assert "xoxb" not in caplog.text


def test_a_page_of_something_on_the_way_to_slack_is_not_logged(warehouse, channel, caplog):
    channel.faults = ["page"]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    (said,) = [record.getMessage() for record in caplog.records if record.name.startswith("feedback.")]
    assert "status 200" in said
    assert "ada" not in said


def test_another_sender_at_work_is_left_alone(warehouse, channel, monkeypatch):
    monkeypatch.setattr(posting, "AT_WORK", timedelta(minutes=2))
    channel.faults = ["drop"]
    meet(warehouse, "k", "run_1", MESSAGE)
    for _ in range(2):
        assert told(warehouse, channel) == 0
    assert len(channel.messages) == 1


@pytest.mark.parametrize("fault", ["", "drop"])
def test_who_reads_the_channel_so_long_that_another_sender_takes_the_post_does_not_send_it(warehouse, channel, fault):
    channel.faults = ["lose", fault]
    meet(warehouse, "k", "run_1", MESSAGE)
    told(warehouse, channel)
    read = channel._read

    def slowly(params):
        found = read(params)
        channel._read = read
        told(warehouse, channel)
        return found

    channel._read = slowly
    meet(warehouse, "l", "run_1", MESSAGE)
    assert told(warehouse, channel) == (1 if fault else 0)
    assert len(channel.messages) == 2
    told(warehouse, channel)
    assert set(posts(warehouse).values()) == {"posted"}
    assert len(channel.messages) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_task_that_is_killed_while_it_posts_leaves_one_message(warehouse, channel, when):
    meet(warehouse, "k", "run_1", MESSAGE)
    killed_while_it_posts(warehouse.path, channel, when, 'tell(warehouse, "C1", client)')
    for _ in range(2):
        told(warehouse, channel)
    assert len(channel.messages) == 1
