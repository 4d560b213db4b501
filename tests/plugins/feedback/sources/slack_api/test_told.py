"""What plan and doctor tell of a workspace, before anything is read."""

from pathlib import Path

import pytest
import yaml

from feedback.errors import ServiceUnreachable
from feedback.sources.slack_api.doctor import NEEDED
from feedback.sources.slack_api.plan import expected
from tests.plugins.feedback.sources.slack_stand_in import SCOPES, fault, status

ROOT = Path(__file__).resolve().parents[5]


@pytest.fixture
def world(slack):
    return slack.world


def lines(house, *channels, **options):
    """What doctor says, without the rest."""
    return [(finding.is_fine, finding.line) for finding in house.source(*channels, **options).examine(house.past())]


def test_plan_and_doctor_do_not_wait_long_for_slack_that_is_away(house, slack, world):
    slack.faults.append(fault(lambda *_: True, status(503), 99))
    asked_at = world.clock.seconds()

    with pytest.raises(ServiceUnreachable, match=r"did not answer auth\.test in 2 attempts"):
        house.source().expected(house.past())
    ((is_fine, line),) = lines(house)

    assert (is_fine, "in 2 attempts (HTTP 503)" in line) == (False, True)
    assert world.clock.seconds() - asked_at < 10


class TestPlan:
    def test_a_first_load_says_how_many_runs_it_takes_at_least(self, house, slack, world):
        for number in range(40):
            world.channel(f"channel-{number}")

        told = house.source(minutes=5).expected(house.past())

        assert told.runs == 3  # 13 weeks of 40 channels, 48 calls a minute
        assert told.minutes == 5
        assert told.rows is None
        assert told.note.startswith("at least")
        assert set(slack.calls) == {"auth.test", "conversations.list"}

    def test_the_next_run_costs_about_what_it_was_said_to(self, house, world):
        channels = [world.channel(f"channel-{number}") for number in range(3)]
        for day in range(12):
            for channel in channels:
                root = world.say(channel, "root")
                for _ in range(3):
                    world.say(channel, "reply", to=root)
            if day == 10:
                house.read()
            world.clock.pass_(days=1)

        told = house.source().expected(house.past())
        calls = house.read()["calls"]

        asked = calls["conversations.history"] + calls["conversations.replies"]
        assert 0.7 * asked <= told.calls <= 1.5 * asked
        assert told.runs == 1
        assert 6 <= told.rows <= 24

    def test_a_day_that_does_not_fit_says_what_to_set(self, house, world):
        general = world.channel("general")
        for _ in range(100):
            world.say(general, "reply", to=world.say(general, "root"))
        house.read()
        world.clock.pass_(days=1)

        told = house.source(minutes=1).expected(house.past())

        assert "set FEEDBACK_SLACK_MINUTES to 8" in told.note

    def test_nothing_is_expected_of_a_workspace_without_channels(self, house):
        assert expected(house.past(), "T", [], "1790000000.000000", "1790000000.000001", 20).runs == 1


class TestDoctor:
    def test_all_is_well(self, house, world):
        general = world.channel("general")
        world.say(general, "words")

        assert lines(house) == [
            (True, "https://acme.slack.com/ knows the token, as feedback in Acme"),
            (True, "reads #general"),
            (True, "messages and replies of #general can be read"),
        ]

    def test_each_scope_that_lacks_and_each_channel_that_cannot_be_read_is_named(self, house, slack, world):
        world.channel("general")
        world.channel("outside", is_member=False)
        slack.scopes = SCOPES - {"channels:history", "users:read"}

        found = lines(house, "general", "outside", "secret")

        bad = [line for is_fine, line in found if is_fine is False]
        assert [line.split(":")[0] for line in bad] == [
            "lacks the scope channels",
            "lacks the scope users",
            "#outside cannot be read (not_in_channel)",
            "#secret is not there, or it is private and the app is not in it",
            "the app lacks the scope channels",
        ]
        assert (None, "sees no private channel, for want of groups:read and groups:history") in found

    def test_the_manifest_asks_for_exactly_what_doctor_looks_for(self):
        manifest = yaml.safe_load((ROOT / "docs/slack_app_manifest.yaml").read_text())

        assert manifest["oauth_config"]["scopes"]["bot"] == list(NEEDED)

    def test_a_scope_too_many_is_told(self, house, slack, world):
        world.channel("general")
        slack.scopes = SCOPES | {"users:read.email"}

        assert any(is_fine is None and "users:read.email" in line for is_fine, line in lines(house))
        assert not any("users:read.email" in line for _, line in lines(house, store_emails=True))

    def test_a_throttled_app_is_refused_with_an_explanation(self, house, slack, world):
        slack.is_throttled = True
        general = world.channel("general")
        for number in range(20):
            world.say(general, f"words {number}")

        assert any(is_fine is False and "one call a minute" in line for is_fine, line in lines(house))

    def test_a_refused_token_is_one_line(self, house):
        house.token = "xoxb-revoked"

        [(is_fine, line)] = lines(house)

        assert is_fine is False
        assert line.startswith("Slack refuses its token (invalid_auth)")
