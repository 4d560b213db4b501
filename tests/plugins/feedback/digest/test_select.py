from __future__ import annotations

import random
from datetime import timedelta

from feedback.digest.select import MOST_OF_A_THEME, MOST_PICKS, Window, select
from feedback.digest.team import Focus, Team
from tests.plugins.feedback.digest.seeded import AS_OF, say, seed, six_weeks

EVERYONE = Team("everyone", "Everyone", (Focus(),))
WEEK = Window(AS_OF - timedelta(days=7), AS_OF)


def chosen(warehouse, window=WEEK, team=EVERYONE):
    (selection,) = select(warehouse, [team], {team.name: window})
    return selection


def numbers(selection):
    return [int(pick.voice.item_id.rsplit(":", 1)[1]) for pick in selection.picks]


def days_ago(days):
    return AS_OF - timedelta(days=days)


def test_unhappy_customers_and_open_questions_are_read_and_praise_is_not(warehouse):
    say(
        warehouse,
        {"number": 1, "sentiment": "negative", "intent": "complaint"},
        {"number": 2, "is_unanswered": True, "sentiment": "neutral", "intent": "question"},
        {"number": 3, "sentiment": "positive", "intent": "praise"},
        {"number": 4, "source": "itunes", "rating": 1},
        {"number": 5, "source": "itunes", "rating": 5, "sentiment": "negative"},
    )

    assert sorted(numbers(chosen(warehouse))) == [1, 2, 4]


def test_a_question_stays_for_two_weeks_and_anything_else_for_the_window(warehouse):
    say(
        warehouse,
        {"number": 1, "is_unanswered": True, "posted_at": days_ago(13.9)},
        {"number": 2, "is_unanswered": True, "posted_at": days_ago(14.1)},
        {"number": 3, "sentiment": "negative", "posted_at": days_ago(6.9)},
        {"number": 4, "sentiment": "negative", "posted_at": days_ago(7.1)},
        {"number": 5, "sentiment": "negative", "posted_at": days_ago(-0.1)},
        {"number": 6, "sentiment": "negative", "posted_at": days_ago(30), "last_activity_at": days_ago(1)},
    )

    assert sorted(numbers(chosen(warehouse))) == [1, 3, 6]


def test_a_digest_goes_on_where_the_last_one_ended(warehouse):
    say(
        warehouse,
        {
            "number": 1,
            "sentiment": "negative",
            "posted_at": days_ago(2),
            "updated_at": days_ago(2),
            "answered_at": days_ago(2),
        },
        {"number": 2, "sentiment": "negative", "posted_at": days_ago(0.5)},
    )

    assert numbers(chosen(warehouse, Window(days_ago(1), AS_OF, heard_since=days_ago(1)))) == [2]


def test_what_was_heard_late_is_not_lost(warehouse):
    said_before_but_loaded_after = {"posted_at": days_ago(2), "updated_at": days_ago(0.5)}
    answered_after = {"posted_at": days_ago(2), "updated_at": days_ago(2), "answered_at": days_ago(0.5)}
    say(
        warehouse,
        {"number": 1, "sentiment": "negative", "answered_at": days_ago(2), **said_before_but_loaded_after},
        {"number": 2, "sentiment": "negative", **answered_after},
    )

    assert sorted(numbers(chosen(warehouse, Window(days_ago(1), AS_OF, heard_since=days_ago(1))))) == [1, 2]


def test_private_words_are_in_no_digest(warehouse):
    say(warehouse, {"number": 1, "sentiment": "negative", "visibility": "private"})

    assert chosen(warehouse).heard == 0


def test_the_worst_comes_first(warehouse):
    say(
        warehouse,
        {"number": 1, "sentiment": "negative", "score": -0.2, "quote": "mild"},
        {"number": 2, "sentiment": "negative", "score": -0.9, "quote": "furious"},
        {"number": 3, "is_unanswered": True, "quote": "waiting"},
        {"number": 4, "is_unanswered": True, "author_count": 6, "message_count": 9, "quote": "many waiting"},
        {"number": 5, "source": "itunes", "rating": 1, "sentiment": "negative", "score": -0.9, "quote": "one star"},
    )

    assert numbers(chosen(warehouse)) == [4, 5, 3, 2, 1]


def test_a_rising_theme_does_not_drown_the_rest(warehouse):
    seed(warehouse, six_weeks())

    selection = chosen(warehouse)

    assert len(selection.picks) == MOST_PICKS
    assert selection.themes[0].area == "sync_and_offline"
    assert sum(pick.theme == selection.themes[0] for pick in selection.picks) <= MOST_OF_A_THEME
    assert len({pick.voice.item_id for pick in selection.picks}) == MOST_PICKS


def test_a_team_is_not_told_of_a_theme_that_is_not_its_own(warehouse):
    seed(warehouse, six_weeks())
    both = {"areas": ("sync_and_offline", "login_and_account"), "intent": "bug_report", "sentiment": "negative"}
    say(warehouse, {"number": 9_001, **both})

    selection = chosen(warehouse, team=Team("login", "Login", (Focus(areas=("login_and_account",)),)))

    assert numbers(selection) == [9_001]
    assert (selection.picks[0].theme, selection.themes) == (None, ())


def test_the_same_words_are_shown_once_where_others_wait(warehouse):
    same = [{"number": n, "sentiment": "negative", "score": -0.9, "quote": "Crashes"} for n in range(8)]
    other = [{"number": 8 + n, "sentiment": "negative", "score": -0.1, "quote": f"Other {n}"} for n in range(3)]
    say(warehouse, *same, *other)

    quotes = [pick.quote for pick in chosen(warehouse).picks]

    assert quotes[:4] == ["Crashes", "Other 0", "Other 1", "Other 2"]


def test_the_order_of_rows_changes_nothing(warehouse, tmp_path):
    import shutil

    from feedback.warehouse.duckdb import DuckDBWarehouse

    shutil.copy(warehouse.path, tmp_path / "other.duckdb")
    other = DuckDBWarehouse(tmp_path / "other.duckdb", warehouse.ddl)
    said = six_weeks(60)
    say(warehouse, *said)
    say(other, *random.Random(1).sample(said, len(said)))

    assert chosen(warehouse).picks == chosen(other).picks


def test_an_unlabelled_item_and_an_empty_warehouse_are_no_trouble(warehouse):
    assert chosen(warehouse).picks == ()

    say(warehouse, {"number": 1, "is_unanswered": True})

    assert [pick.quote for pick in chosen(warehouse).picks] == [None]
