from __future__ import annotations

from datetime import timedelta

import pytest

from feedback.digest.rising import Theme, is_rising, rising
from tests.plugins.feedback.digest.seeded import AS_OF, say


def weekly(counts, **labels):
    """So many voices in each week, newest week first."""
    numbers = iter(range(sum(counts)))
    return [
        {
            "number": next(numbers),
            "posted_at": AS_OF - timedelta(days=7 * week + 1, minutes=n),
            "intent": "bug_report",
            "areas": ("sync",),
            **labels,
        }
        for week, count in enumerate(counts)
        for n in range(count)
    ]


def test_a_theme_rises_against_its_usual_week(warehouse):
    say(warehouse, *weekly([9, 2, 1, 2, 40]))

    (theme,) = rising(warehouse, AS_OF)

    assert theme == Theme("sync", "bug_report", (9, 2, 1, 2))


def test_one_odd_week_does_not_hide_a_rise(warehouse):
    say(warehouse, *weekly([9, 1, 30, 1, 1, 1]))

    assert [theme.usual for theme in rising(warehouse, AS_OF)] == [1]


@pytest.mark.parametrize("weeks", [(3, 0, 0), (4, 3, 3), (100, 95, 90), (0, 0, 0), (12, 9, 8, 9, 10)])
def test_chance_and_handfuls_are_no_rise(weeks):
    assert not is_rising(Theme("sync", "bug_report", weeks))


def test_praise_is_no_trouble():
    assert not is_rising(Theme("sync", "praise", (50, 1, 1)))


def test_without_weeks_to_compare_with_nothing_rises(warehouse):
    say(warehouse, *weekly([30, 1]))

    assert rising(warehouse, AS_OF) == ()


def test_an_empty_warehouse_has_no_themes(warehouse):
    assert rising(warehouse, AS_OF) == ()


def test_private_words_and_the_future_are_not_counted(warehouse):
    said = weekly([9, 2, 1, 2, 1])
    private = weekly([9], visibility="private", areas=("billing",))
    later = weekly([9], posted_at=AS_OF + timedelta(hours=1), areas=("search",))
    for number, spoken in enumerate([*private, *later], 500):
        spoken["number"] = number
    say(warehouse, *said, *private, *later)

    assert [theme.area for theme in rising(warehouse, AS_OF)] == ["sync"]
