"""What becomes of a workspace that is read day by day: late replies, edits, deletions, and no call too many."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from feedback.erasure.files import Places
from feedback.model import Run
from feedback.operators.retention_operator import RetentionOperator
from feedback.sources.slack_api.state import audit_of
from include.expectations.items import REPLIES
from tests.plugins.feedback.sources.slack_stand_in import SCOPES, fault, meanwhile, refused
from tests.plugins.feedback.sources.slack_world import ts_of


@pytest.fixture
def world(slack):
    return slack.world


@pytest.fixture
def general(world):
    return world.channel("general")


def test_everything_that_was_said_is_read_and_a_second_time_nothing_is_new(house, world, general):
    other = world.channel("other")
    for number in range(3):
        root = world.say(general, f"root {number}")
        world.say(general, "a reply", to=root, user="U2")
        world.say(other, "🙂 \u202egnihtyna\u202c, zero\u200bwidth", user="U3")
    world.say(general, {"text": "", "attachments": [{"fallback": "a form"}], "subtype": "bot_message", "bot_id": "B2"})

    first = house.read()
    before = house.warehouse.rows("select * from raw.slack_messages order by all")
    second = house.read()

    assert house.stored() == house.truth()
    assert (first["changed"], second["rows"], second["changed"]) == (12, 0, 0)
    assert house.warehouse.rows("select * from raw.slack_messages order by all") == before


def test_two_messages_a_microsecond_apart_are_two(house, world, general):
    now = world.clock.micros
    world.say(general, "one", at=now - 1)
    world.say(general, "two", at=now)

    house.read()

    assert len(house.stored()) == 2


def test_what_is_said_while_it_reads_is_left_for_the_next_run(house, world, slack, general):
    root = world.say(general, "root")
    world.say(general, "reply", to=root)
    read_until = world.clock.micros
    slack.faults.append(
        fault(lambda method, params: "ts" in params, meanwhile(lambda: world.say(general, "!", to=root)))
    )

    house.read()
    soon = {ts for _, ts in house.stored()}
    house.read()

    assert max(soon) <= ts_of(read_until)
    assert house.stored() == house.truth()
    assert house.unequal_threads() == []


class TestReplies:
    @pytest.mark.parametrize("days", [1, 29])
    def test_a_reply_that_comes_late_is_found_by_the_next_run(self, house, world, general, days):
        root = world.say(general, "root")
        house.read()
        world.clock.pass_(days=days)
        world.say(general, "late", to=root)

        counts = house.read()

        assert house.stored() == house.truth()
        assert counts["calls"]["conversations.replies"] == 1

    def test_a_reply_to_a_root_older_than_the_rescan_is_found_within_thirty_days(self, house, world, general):
        root = world.say(general, "root")
        house.read()
        world.clock.pass_(days=40)
        house.read()
        before = audit_of(general.id, world.clock.now())
        world.say(general, "very late", to=root)
        days = 0
        while audit_of(general.id, world.clock.now()) == before:
            world.clock.pass_(days=1)
            days += 1
        house.read()

        assert days <= 30
        assert house.stored() == house.truth()

    def test_each_day_audits_one_channel_in_thirty(self):
        day = datetime(2026, 10, 1)
        channels = [f"C{number:08}" for number in range(300)]
        audits = [[audit_of(one, day + timedelta(days=days)) for one in channels] for days in range(31)]

        due = [sum(a != b for a, b in zip(one, other, strict=True)) for one, other in pairwise(audits)]

        assert sum(due) == 300
        assert max(due) < 30

    def test_only_threads_that_moved_are_read_and_only_from_where_they_were_read(self, house, world, slack, general):
        roots = [world.say(general, f"root {number}") for number in range(3)]
        for root in roots:
            world.say(general, "reply", to=root)
        house.read()
        world.clock.pass_(days=3)
        house.read()
        world.say(general, "more", to=roots[1])
        asked = []
        slack.faults.append(lambda method, params: asked.append(params) if "ts" in params else None)

        world.clock.pass_(days=3)  # no thread is hot
        house.read()

        assert [(one["ts"], one["oldest"] > roots[1]) for one in asked] == [(roots[1], True)]
        assert house.stored() == house.truth()

    def test_an_edited_reply_of_the_last_two_days_is_found_though_no_counter_moved(self, house, world, general):
        root = world.say(general, "root")
        reply = world.say(general, "first wording", to=root)
        house.read()
        world.clock.pass_(days=1)
        world.edit(general, reply, "second wording")

        first, again = house.read(), house.read()

        assert house.stored() == house.truth()
        assert first["calls"]["conversations.replies"] == 1
        assert again["calls"]["conversations.replies"] == 0

    def test_a_reply_taken_back_while_others_came_is_gone(self, house, world, general):
        root = world.say(general, "root")
        replies = [world.say(general, f"reply {number}", to=root) for number in range(3)]
        house.read()
        world.clock.pass_(days=3)
        world.delete(general, replies[1])
        for number in range(2):
            world.say(general, f"new {number}", to=root)

        house.read()

        assert house.stored() == house.truth()
        assert house.unequal_threads() == []

    def test_a_reply_shown_to_all_is_one_row_and_leads_to_a_root_older_than_the_rescan(self, house, world, general):
        root = world.say(general, "root")
        early = world.say(general, "early", to=root)
        house.read()
        world.clock.pass_(days=40)
        shown = world.say(general, "shown to all", to=root, broadcast=True)

        house.read()
        came = house.stored() == house.truth()
        world.delete(general, shown)
        world.delete(general, early)
        world.clock.pass_(hours=1)
        house.read()

        assert came
        assert house.stored() == house.truth()

    def test_a_reply_that_came_without_its_root_gets_it(self, house, world, general):
        world.clock.pass_(days=-200)
        root = world.say(general, "root")
        world.clock.pass_(days=190)
        world.say(general, "reply", to=root)
        shown = world.say(general, "shown to all", to=root, broadcast=True)
        world.clock.pass_(days=10)

        house.read()

        assert house.stored() == house.truth()
        assert (general.id, root) in house.stored()
        assert (general.id, shown) in house.stored()


class TestDeletions:
    def test_a_message_without_replies_is_gone_and_leaves_a_tombstone(self, house, world, general):
        kept = world.say(general, "kept")
        gone = world.say(general, "gone")
        house.read()
        world.delete(general, gone)

        counts = house.read()

        assert set(house.stored()) == {(general.id, kept)}
        assert counts["deleted"] == 1
        assert house.warehouse.rows("select row_key from ops.tombstones") == [
            {"row_key": f"T0STANDIN|{general.id}|{gone}"}
        ]

    def test_a_thread_deleted_at_its_root_keeps_its_replies_until_they_go_too(self, house, world, general):
        root = world.say(general, "root")
        replies = [world.say(general, "reply", to=root) for _ in range(2)]
        house.read()
        world.delete(general, root)
        house.read()
        left = house.stored()

        for reply in replies:
            world.delete(general, reply)
        house.read()

        assert left[general.id, root][1:4] == ("USLACKBOT", "tombstone", "This message was deleted.")
        assert len(left) == 3
        assert house.stored() == {}

    def test_what_lies_before_the_walk_is_left_alone(self, house, world, general):
        world.say(general, "old")
        house.read()
        world.clock.pass_(days=31)
        world.say(general, "new")

        assert house.read()["deleted"] == 0

    def test_what_the_free_plan_hides_is_not_deleted(self, house, world, slack, general):
        old = world.say(general, "old")
        world.say(general, "a reply", to=old)
        house.read()
        world.clock.pass_(days=95)
        slack.hidden_before = world.clock.micros - 90 * 86_400 * 1_000_000
        for _ in range(4):
            world.clock.pass_(days=10)
            assert house.read()["deleted"] == 0

        assert len(house.stored()) == 2

    def test_what_is_met_again_lives_again(self, house, world, general):
        root = world.say(general, "root")
        house.read()
        world.delete(general, root)
        house.read()
        assert house.stored() == {}
        world.restore(general, root)

        house.read()

        assert house.stored() == house.truth()
        assert house.warehouse.rows("select * from ops.tombstones") == []


class TestTheFirstLoad:
    def test_it_goes_newest_first_week_by_week_as_far_as_the_minutes_reach_and_on_from_there(self, house, world, slack):
        channels = [world.channel(f"channel-{number}") for number in range(3)]
        start = world.clock.now().date()
        for _ in range(28):
            for channel in channels:
                root = world.say(channel, "root")
                world.say(channel, "reply", to=root)
            world.clock.pass_(days=1)

        runs, newest_first = 0, True
        while not runs or any(reason == "first_load" for _, reason in house.gaps().values()):
            house.read(start=start, minutes=1)
            runs += 1
            reached = {ts for _, ts in house.stored()}
            truth = sorted(ts for _, ts in house.truth())
            newest_first &= reached >= set(truth[-len(reached) // 2 :])
            assert runs < 20

        assert house.stored() == house.truth()
        assert 1 < runs < 10
        assert newest_first
        assert house.gaps() == {}

    def test_it_begins_where_it_is_told_to(self, house, world, general):
        world.say(general, "too old")
        world.clock.pass_(days=10)
        wanted = world.say(general, "wanted")

        house.read(start=date(2026, 10, 5))

        assert set(house.stored()) == {(general.id, wanted)}

    def test_an_earlier_start_is_loaded_later(self, house, world, general):
        world.say(general, "older")
        world.clock.pass_(days=10)
        world.say(general, "newer")
        house.read(start=date(2026, 10, 5))

        house.read(start=date(2026, 9, 1))

        assert house.stored() == house.truth()

    def test_months_of_silence_are_not_read_week_by_week(self, house, world, general):
        world.say(general, "long ago")
        world.clock.pass_(days=80)

        counts = house.read()

        assert house.stored() == house.truth()
        assert counts["calls"]["conversations.history"] <= 5

    def test_a_run_after_two_months_leaves_no_hole(self, house, world, general):
        world.say(general, "before")
        house.read()
        for _ in range(6):
            world.clock.pass_(days=10)
            world.say(general, "in between")

        house.read()

        assert house.stored() == house.truth()


class TestChannels:
    def test_a_channel_is_named_by_id_or_name_and_pages_may_come_short(self, house, world, slack):
        channels = [world.channel(f"channel-{number}", is_private=number % 3 == 0) for number in range(9)]
        slack.list_page = 2
        for channel in channels:
            world.say(channel, "words")

        house.read(channels[1].id, "#channel-2")

        assert {channel for channel, _ in house.stored()} == {channels[1].id, channels[2].id}

    def test_a_private_channel_is_read_only_when_it_is_named(self, house, world, slack, general):
        secret = world.channel("secret", is_private=True)
        world.say(secret, "hush")
        slack.scopes = SCOPES | {"groups:read", "groups:history"}

        house.read("*")
        before = {channel for channel, _ in house.stored()}
        house.read("*", "secret")

        assert (before, {channel for channel, _ in house.stored()}) == (set(), {secret.id})
        [row] = house.warehouse.rows("select is_private from raw.slack_channels where name = 'secret'")
        assert row["is_private"] is True

    def test_what_cannot_be_read_is_named_and_advances_nothing(self, house, world, slack, general):
        outside = world.channel("outside", is_member=False)
        old = world.channel("old", is_archived=True)
        world.channel("secret", is_private=True)
        world.say(general, "words")
        world.say(outside, "not for us yet")

        house.read("general", "outside", "old", "secret", "nowhere")
        gaps = house.gaps()
        outside.is_member = True
        house.read("general", "outside", "old")

        assert gaps == {
            "outside": ("failed", "not_in_channel"),
            "old": ("skipped", "is_archived"),
            "secret": ("failed", "channel_not_found"),
            "nowhere": ("failed", "channel_not_found"),
        }
        assert set(house.gaps()) == {"old"}
        assert house.stored() == house.truth(without=(old.id,))

    def test_a_channel_that_closes_on_the_way_costs_only_itself(self, house, world, slack, general):
        leaving = world.channel("leaving")
        for channel in (general, leaving):
            world.say(channel, "words")
        house.read("general", "leaving")
        [before] = house.warehouse.rows("select state from ops.source_state where part like ?", (f"%{leaving.id}",))
        world.clock.pass_(days=1)
        world.say(general, "more words")
        world.say(leaving, "unheard")
        slack.faults.append(
            fault(lambda method, params: params.get("channel") == leaving.id, refused("not_in_channel"))
        )

        house.read("general", "leaving")

        [after] = house.warehouse.rows("select state from ops.source_state where part like ?", (f"%{leaving.id}",))
        assert after == before
        assert house.gaps() == {"leaving": ("failed", "not_in_channel")}
        assert len(house.stored()) == 3

    def test_how_many_channels_the_app_is_not_in_is_counted(self, house, world, general):
        for number in range(4):
            world.channel(f"outside-{number}", is_member=False)

        assert house.read("*")["skipped"] == 4


def test_names_and_permalinks_need_no_setting_and_no_address_is_stored(house, world, general):
    world.user("U1", profile={"display_name": "Ada", "email": "ada@nowhere.example"}, is_owner=True)
    world.say(general, "words")

    house.read()
    again = house.read()

    [user] = house.warehouse.rows("select name, is_team, payload from raw.slack_users")
    assert (user["name"], user["is_team"]) == ("Ada", True)
    assert "nowhere.example" not in user["payload"]
    assert house.past().state["workspace"]["domain"] == "acme"
    assert again["calls"]["users.list"] == 0


def test_without_a_connection_channels_named_for_an_export_are_not_read(house):
    source = house.source()
    object.__setattr__(source, "client", lambda: None)

    assert list(source.extract(house.past())) == []


def test_a_message_of_forty_thousand_characters_is_stored_whole(house, world, general):
    world.say(general, "é" * 40_000)

    house.read()

    assert house.stored() == house.truth()


def test_threads_that_have_expired_are_not_read_again_until_somebody_speaks_in_them(house, world, general, tmp_path):
    root = world.say(general, "slow")
    world.say(general, "which version?", to=root, user="U2")
    house.read()
    world.clock.pass_(days=20)
    places = Places(*(tmp_path / name for name in ("report", "digest", "warehouse", "copies", "journal")))
    retention = RetentionOperator(
        task_id="expire", days=14, enrichments=(), places=places, as_of=world.clock.now(), warehouse=house.warehouse
    )
    assert retention.work(Run("run", "extract_feedback", "expire"), {}).as_dict() == {"expired": 2}

    assert house.read()["calls"]["conversations.replies"] == 0
    assert house.stored() == {}
    [found] = house.warehouse.rows(REPLIES)
    assert (found["failed"], found["n"]) == (0, 1), "what was blanked here is not missing"

    late = world.say(general, "still slow", to=root, user="U2")
    assert house.read()["calls"]["conversations.replies"] == 1
    assert [ts for _, ts in house.stored()] == [late]
