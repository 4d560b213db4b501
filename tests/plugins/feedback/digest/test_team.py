from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.digest.rising import Theme
from feedback.digest.select import followers, readers
from feedback.digest.team import Focus, Team
from feedback.digest.voices import voices
from feedback.errors import SettingError
from tests.plugins.feedback.digest.seeded import AS_OF, say


@pytest.fixture
def voice(warehouse):
    say(warehouse, {"number": 1, "intent": "question", "areas": ("billing", "sync"), "language": "de-AT"})
    (voice,) = voices(warehouse, AS_OF - timedelta(days=7), AS_OF, AS_OF)
    return voice


@pytest.mark.parametrize(
    "focus",
    [
        Focus(),
        Focus(areas=("sync",)),
        Focus(intents=("question",), sources=("slack",)),
        Focus(channels=("customers",), languages=("de",)),
    ],
)
def test_a_focus_matches_when_each_of_its_fields_does(voice, focus):
    assert focus.matches(voice)


@pytest.mark.parametrize(
    "focus", [Focus(areas=("search",)), Focus(areas=("sync",), intents=("praise",)), Focus(languages=("en",))]
)
def test_a_focus_does_not_match_when_one_field_does_not(voice, focus):
    assert not focus.matches(voice)


def test_what_is_nobodys_focus_is_for_the_team_that_takes_the_rest(voice):
    search, rest = Team("search", "Search", (Focus(areas=("search",)),)), Team("rest", "Rest", (), takes_rest=True)
    sync = Team("sync", "Sync", (Focus(areas=("sync",)),))

    assert readers((search, rest), voice) == [rest]
    assert readers((sync, rest), voice) == [sync]


def test_a_team_is_told_of_the_themes_of_its_focus_and_of_no_others():
    theme = Theme("sync", "bug_report", (8, 1, 0))
    sync, bugs = (
        Team("sync", "Sync", (Focus(areas=("sync",)),)),
        Team("bugs", "Bugs", (Focus(intents=("bug_report",)),)),
    )
    search = Team("search", "Search", (Focus(areas=("search",)), Focus(areas=("sync",), intents=("praise",))))
    rest = Team("rest", "Rest", (), takes_rest=True)

    assert followers((sync, bugs, search, rest), theme) == [sync, bugs]
    assert followers((search, rest), theme) == [rest]


@pytest.mark.parametrize("name", ["", "Mobile", "a/b", "../x", "a b", "-a"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(SettingError, match=r"include/teams\.py"):
        Team(name, "Title", ())
