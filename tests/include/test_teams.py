from __future__ import annotations

from typing import get_args

import pytest

from include.enrichments import area, intent
from include.known_sources import KINDS
from include.teams import TEAMS

AREAS = set(get_args(area.Label))
INTENTS = set(get_args(intent.Label))
FOCUS = [focus for team in TEAMS for focus in team.focus]


@pytest.mark.parametrize("focus", FOCUS, ids=str)
def test_a_focus_names_only_what_exists(focus):
    assert set(focus.areas) <= AREAS
    assert set(focus.intents) <= INTENTS
    assert set(focus.sources) <= set(KINDS)


def test_every_area_is_some_teams():
    anywhere = [focus for focus in FOCUS if not (focus.intents or focus.sources or focus.channels or focus.languages)]

    assert {label for focus in anywhere for label in focus.areas} == AREAS


def test_each_team_has_a_name_of_its_own_and_one_takes_the_rest():
    assert len({team.name for team in TEAMS}) == len(TEAMS)
    assert [team.name for team in TEAMS if team.takes_rest] == ["support"]
