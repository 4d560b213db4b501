"""Whatever Slack answers, nothing is lost, nothing is doubled, and what a person must mend is said in one line."""

import pytest

from feedback.errors import SourceFailed
from feedback.sources.slack_api.calls import REMEDIES
from tests.plugins.feedback.sources.slack_stand_in import (
    SCOPES,
    dropped,
    fault,
    history,
    later_page,
    meanwhile,
    page_of_a_proxy,
    refused,
    status,
)


@pytest.fixture
def world(slack, monkeypatch):
    """A workspace whose channel fills three pages and whose one thread fills two."""
    monkeypatch.setattr("feedback.sources.slack_api.walk.MESSAGES_A_PAGE", 60)
    general = slack.world.channel("general")
    for number in range(130):
        slack.world.say(general, f"root {number}")
    root = slack.world.say(general, "a long thread")
    for number in range(70):
        slack.world.say(general, f"reply {number}", to=root)
    return slack.world


def replies(method, params):
    return method == "conversations.replies"


def later_message(method, params):
    return later_page(method, params) and "channel" in params


class TestPassing:
    @pytest.mark.parametrize(
        ("where", "answer", "times"),
        [
            pytest.param(later_page, status(500), 3, id="500 on later pages"),
            pytest.param(later_page, dropped, 3, id="a socket that drops on later pages"),
            pytest.param(replies, page_of_a_proxy, 2, id="the page of a proxy"),
            pytest.param(history, refused("internal_error"), 2, id="an error inside a 200"),
            pytest.param(history, refused("fatal_error"), 2, id="another error inside a 200"),
            pytest.param(lambda *_: True, status(429, Retry_After="7"), 25, id="a storm of 429"),
            pytest.param(replies, status(429), 2, id="429 that does not say how long"),
            pytest.param(later_page, refused("invalid_cursor"), 1, id="a cursor that expires"),
            pytest.param(later_message, refused("invalid_cursor"), 99, id="cursors that always expire"),
            pytest.param(
                lambda method, params: method.endswith("list") and later_page(method, params),
                refused("invalid_cursor"),
                1,
                id="a cursor of a list that expires",
            ),
        ],
    )
    def test_what_passes_is_tried_again_and_nothing_is_lost(self, house, slack, world, where, answer, times):
        slack.list_page = 1
        world.channel("other")
        slack.faults.append(fault(where, answer, times))

        house.read()

        assert house.stored() == house.truth()
        assert house.unequal_threads() == []
        assert house.gaps() == {}

    def test_a_wait_that_slack_asks_for_is_kept(self, house, slack, world):
        slack.limited = False
        slack.faults.append(fault(history, status(429, Retry_After="45"), 1))
        asked_at = []
        slack.faults.insert(0, fault(history, meanwhile(lambda: asked_at.append(world.clock.seconds())), 2))

        house.read()

        assert asked_at[1] - asked_at[0] >= 45

    def test_no_limit_of_slack_is_ever_reached(self, house, slack, world):
        other = world.channel("other")
        for number in range(60):
            world.say(other, "a reply", to=world.say(other, f"root {number}"))

        calls = house.read()["calls"]

        assert calls["conversations.replies"] > 60
        assert calls["429"] == 0

    def test_a_page_that_shifts_while_it_is_walked_loses_nothing(self, house, slack, world):
        [general] = world.channels.values()
        some = sorted(general.listed)[:90:6]

        def shift():
            for at in some:
                if general.message(at, world.clock.micros):
                    world.delete(general, f"{at // 10**6}.{at % 10**6:06d}")
            world.say(general, "said meanwhile")

        slack.faults.append(fault(later_page, meanwhile(shift), 1))

        house.read()
        house.read()

        assert house.stored() == house.truth()

    def test_what_does_not_pass_fails_the_run_keeps_the_rows_and_the_next_goes_on(self, house, slack, world):
        slack.faults.append(fault(replies, status(503), 6))

        with pytest.raises(SourceFailed, match=r"Slack did not answer conversations\.replies .*HTTP 503") as failed:
            house.read()
        kept = len(house.stored())
        house.read()

        assert failed.value.retryable
        assert kept > 130
        assert house.stored() == house.truth()
        assert house.unequal_threads() == []


class TestRefused:
    @pytest.mark.parametrize("code", sorted(REMEDIES))
    def test_a_refused_token_fails_at_once_and_says_so(self, house, slack, code):
        slack.faults.append(fault(lambda *_: True, refused(code), 99))

        with pytest.raises(SourceFailed, match=rf"slack_api_default: Slack refuses its token \({code}\)") as failed:
            house.read()

        assert not failed.value.retryable
        assert "\n" not in str(failed.value)
        assert sum(slack.calls.values()) == 1

    def test_a_token_revoked_in_mid_run_fails_at_once_and_keeps_what_was_read(self, house, slack, world):
        slack.faults.append(fault(replies, refused("token_revoked"), 99))

        with pytest.raises(SourceFailed, match="token_revoked"):
            house.read()
        kept, calls = len(house.stored()), slack.calls["conversations.replies"]
        slack.faults.clear()
        house.read()

        assert (kept > 130, calls) == (True, 1)
        assert house.stored() == house.truth()

    def test_a_missing_scope_is_named(self, house, slack, world):
        slack.scopes = SCOPES - {"channels:history"}

        with pytest.raises(SourceFailed, match="slack_api_default: the app lacks the scope channels:history"):
            house.read()

    def test_a_private_channel_without_its_scope_costs_only_itself(self, house, slack, world):
        slack.scopes = SCOPES | {"groups:read"}
        secret = world.channel("secret", is_private=True)
        world.say(secret, "hush")

        house.read("general", "secret")

        assert house.gaps() == {"secret": ("failed", "missing_scope")}
        assert house.stored() == house.truth(without=(secret.id,))

    def test_a_thread_that_is_refused_costs_only_itself(self, house, slack, world):
        [general] = world.channels.values()
        world.say(general, "a reply", to=world.say(general, "another thread"))
        slack.faults.append(fault(replies, refused("invalid_arguments"), 1))

        house.read()
        gaps = house.gaps()
        house.read()

        assert gaps == {"general": ("failed", "invalid_arguments")}
        assert house.gaps() == {}
        assert house.stored() == house.truth()


class TestThrottledApp:
    """An app distributed outside the Marketplace: one call a minute, fifteen messages a call."""

    def test_it_is_recognised_by_its_short_pages(self, house, slack, world):
        slack.is_throttled = True

        with pytest.raises(SourceFailed, match=r"one call a minute and 15 messages .*slack_app_manifest") as failed:
            house.read()

        assert not failed.value.retryable
        assert slack.calls["conversations.history"] <= 3

    def test_it_is_recognised_in_channels_that_fit_a_page_by_its_waits(self, house, slack):
        slack.is_throttled = True
        for number in range(9):
            slack.world.say(slack.world.channel(f"small-{number}"), "words")

        with pytest.raises(SourceFailed, match="one call a minute"):
            house.read()

        assert slack.calls["conversations.history"] <= 8

    def test_a_storm_of_long_waits_is_no_such_app(self, house, slack, world):
        slack.faults.append(fault(lambda *_: True, status(429, Retry_After="60"), 12))

        house.read()

        assert house.stored() == house.truth()


class TestMinutes:
    def test_a_run_ends_in_its_minutes_and_says_what_is_left(self, house, slack, world):
        general = world.channels["C00000001"]
        for number in range(120):
            world.say(general, "a reply", to=world.say(general, f"thread {number}"))
        house.read()
        world.clock.pass_(days=1)
        before = world.clock.seconds()

        house.read(minutes=2)

        assert world.clock.seconds() - before <= 120
        assert house.gaps() == {"edits of replies": ("failed", "out_of_minutes")}

    def test_a_channel_that_was_not_reached_is_named_and_first_in_the_next_run(self, house, slack, world):
        for number in range(3):
            world.say(world.channel(f"other-{number}"), "words")
        house.read()
        world.clock.pass_(days=1)
        for channel in world.channels.values():
            world.say(channel, "more")
        slack.faults.append(
            fault(lambda method, params: params.get("channel") == "C00000003", status(429, Retry_After="99"))
        )

        house.read(minutes=1)
        gaps = house.gaps()
        asked = []
        slack.faults.append(lambda method, params: asked.append(params["channel"]) if history(method, params) else None)
        house.read(minutes=1)

        assert gaps.items() >= dict.fromkeys(("other-1", "other-2"), ("failed", "out_of_minutes")).items()
        assert asked[:2] == ["C00000003", "C00000004"]
        assert house.stored() == house.truth()
        assert house.gaps() == {}
