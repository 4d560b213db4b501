from __future__ import annotations

from datetime import date, datetime

from feedback.digest.clock import as_of, end_of, local_day
from tests.plugins.feedback.digest.seeded import AS_OF, say


def test_what_is_given_is_now(warehouse):
    assert as_of(warehouse, AS_OF, uses_clock=True) == AS_OF


def test_files_are_read_as_of_the_newest_thing_said(warehouse):
    say(warehouse, {"number": 1, "posted_at": datetime(2020, 1, 1)}, {"number": 2, "posted_at": datetime(2020, 5, 1)})

    assert as_of(warehouse, None, uses_clock=False) == datetime(2020, 5, 1)


def test_an_empty_warehouse_and_an_api_go_by_the_clock(warehouse):
    assert as_of(warehouse, None, uses_clock=False).year >= 2026
    assert as_of(warehouse, None, uses_clock=True).year >= 2026


def test_a_day_is_a_day_in_the_time_zone():
    late = datetime(2026, 11, 1, 23, 30)

    assert local_day(late, "UTC") == date(2026, 11, 1)
    assert local_day(late, "Europe/Berlin") == date(2026, 11, 2)
    assert end_of(date(2026, 10, 25), late, "Europe/Berlin") == datetime(2026, 10, 25, 22, 59, 59, 999999)
    assert end_of(date(2026, 11, 2), late, "Europe/Berlin") == late
