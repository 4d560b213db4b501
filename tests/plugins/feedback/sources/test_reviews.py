"""A review becomes one item, also when it is only a rating."""

import json
from datetime import datetime

import pytest

from feedback.sources.reviews import review_item

DAY = datetime(2026, 10, 1)


def review(**more):
    """A row of raw.app_reviews."""
    return {
        "store": "google_play",
        "app_id": "example.app",
        "review_id": "r-1",
        "rating": 2,
        "title": "Slow",
        "body": "It takes a minute",
        "author": None,
        "language": "en",
        "territory": None,
        "app_version": "4.1",
        "created_at": DAY,
        "updated_at": DAY,
        "reply_text": None,
        "replied_at": None,
        "payload": "{}",
        "first_seen_at": DAY,
        "changed_at": DAY,
        **more,
    }


def item(**more):
    return review_item(review(**more), b"salt")


def test_title_and_words_are_the_text_and_the_answer_of_the_team_is_not():
    one = item(reply_text="Sorry", replied_at=datetime(2026, 10, 5))

    assert one.item_id == "google_play:example.app:r-1"
    assert one.text == "Slow\nIt takes a minute"
    assert (one.has_reply_by_team, one.is_unanswered, one.last_activity_at) == (True, None, datetime(2026, 10, 5))


def test_a_title_that_the_words_repeat_is_said_once():
    assert item(title="Love it", body="Love it, daily").text == "Love it, daily"


def test_a_rating_without_words_is_an_item_that_is_not_asked_about():
    one = item(title=None, body=None)

    assert (one.text, one.rating, one.is_askable, one.unasked_reason) == ("", 2, False, "no_words")


def test_stars_of_emoji_are_not_asked_about():
    assert item(title=None, body="⭐⭐ 👍").unasked_reason == "emoji_only"


def test_telephone_numbers_of_the_reviews_country_are_masked():
    assert item(body="am besten 612 34 56 78", title=None).text == "am besten 612 34 56 78"
    assert item(body="am besten 612 34 56 78", title=None, territory="ES").text == "am besten [PHONE_1]"


def test_a_review_without_any_date_is_as_old_as_its_first_load():
    one = item(created_at=None, updated_at=None, first_seen_at=datetime(2026, 11, 1))

    assert one.posted_at == one.last_activity_at == datetime(2026, 11, 1)


@pytest.mark.parametrize(
    ("store", "payload", "permalink"),
    [
        (
            "google_play",
            {"Review Link": "https://play.google.com/a?reviewId=1"},
            "https://play.google.com/a?reviewId=1",
        ),
        ("google_play", {"Review Link": "http://play.google.com/a"}, "https://play.google.com/a"),
        ("google_play", {"Review Link": "https://play.google.com.evil.example/a"}, None),
        ("google_play", {"Review Link": "javascript:alert(1)"}, None),
        (
            "itunes",
            {"link": {"attributes": {"href": "https://itunes.apple.com/us/x"}}},
            "https://itunes.apple.com/us/x",
        ),
        (
            "itunes",
            {"link": [{"attributes": {}}, {"attributes": {"href": "https://apps.apple.com/x"}}]},
            "https://apps.apple.com/x",
        ),
        ("itunes", {"link": "https://evil.example"}, None),
        ("itunes", {}, None),
        (
            "google_play",
            {"reviewId": "r-1"},
            "https://play.google.com/store/apps/details?id=example.app&reviewId=r-1",
        ),
        ("google_play", {}, None),
        ("app_store", {"type": "customerReviews"}, "https://apps.apple.com/app/idexample.app"),
    ],
)
def test_a_link_leads_to_the_store_or_nowhere(store, payload, permalink):
    assert item(store=store, payload=json.dumps(payload)).permalink == permalink
