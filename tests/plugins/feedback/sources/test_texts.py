"""A text becomes one item, masked, its author hashed, its link only where its host is named."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from feedback.sources.texts import text_item, text_row

DAY = datetime(2026, 10, 1)


def item(hosts=(), **more):
    row = {"source": "tickets", "id": "7", "title": "Crash", "body": "It crashes", "author": None, "channel": None}
    row |= {"url": None, "rating": None, "language": "en", "territory": None, "app_version": None, "is_private": None}
    row |= {"created_at": DAY, "updated_at": DAY, "first_seen_at": DAY, "changed_at": DAY}
    return text_item(row | more, b"salt", hosts=hosts)


def test_title_and_body_are_the_text_and_nobody_is_named():
    one = item(body="Call me: ada@example.com", author="ada", channel="billing")

    assert (one.item_id, one.source, one.source_key) == ("tickets:7", "tickets", "7")
    assert one.text == "Crash\nCall me: [EMAIL_1]"
    assert one.channel_or_app == "billing"
    assert one.author_hash not in (None, "ada", item(author="bob").author_hash)
    assert (one.visibility, one.is_askable, one.is_unanswered) == ("public", True, None)


def test_without_words_it_is_an_item_that_is_not_asked_about():
    one = item(title=None, body=None, rating=2)

    assert (one.text, one.rating, one.is_askable, one.unasked_reason) == ("", 2, False, "no_words")


def test_what_is_private_is_private():
    assert item(is_private=True).visibility == "private"


def test_telephone_numbers_of_its_country_are_masked():
    assert item(body="Ruft 030 901820 an", title=None, territory="DE").text == "Ruft [PHONE_1] an"


@pytest.mark.parametrize(
    ("created", "updated", "posted", "active"),
    [
        (DAY, DAY + timedelta(days=2), DAY, DAY + timedelta(days=2)),
        (DAY, DAY - timedelta(days=2), DAY, DAY),
        (None, DAY - timedelta(days=2), DAY - timedelta(days=2), DAY - timedelta(days=2)),
        (None, None, DAY, DAY),
    ],
)
def test_it_was_said_when_its_source_says_so_and_never_after_it_was_last_active(created, updated, posted, active):
    one = item(created_at=created, updated_at=updated)

    assert (one.posted_at, one.last_activity_at) == (posted, active)


@pytest.mark.parametrize(
    ("url", "permalink"),
    [
        ("https://support.example.com/t/7", "https://support.example.com/t/7"),
        ("http://support.example.com/t/7", None),
        ("https://support.example.com.evil.example/t/7", None),
        ("https://support.example.com@evil.example/t/7", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
    ],
)
def test_a_link_leads_to_a_host_that_was_named_or_nowhere(url, permalink):
    assert item(hosts=("other.example.com", "support.example.com"), url=url).permalink == permalink
    assert item(url=url).permalink is None


def test_a_row_is_another_when_anything_in_it_is():
    row = text_row("tickets", "7", "It\0 crashes", rating=1)

    assert row["body"] == "It crashes"
    assert row == text_row("tickets", "7", "It crashes", rating=1)
    assert row["row_hash"] != text_row("tickets", "7", "It crashes", rating=2)["row_hash"]
    assert text_row("tickets", "7", "x", row_hash="h")["row_hash"] == "h"
