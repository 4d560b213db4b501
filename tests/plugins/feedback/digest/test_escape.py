from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.digest.escape import cut, for_slack, from_slack, our_link, plain

FAMILY = "👨‍👩‍👧"


@given(st.text(), st.integers(min_value=1, max_value=400))
def test_words_for_slack_hold_no_markup_nothing_invisible_and_no_more_than_asked(text, most):
    shown = for_slack(text, most)

    assert len(shown) <= most
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", shown)
    assert not [c for c in shown if unicodedata.category(c)[0] == "C" and c != "\u200d"]


@given(st.text(max_size=200))
def test_short_words_come_back_from_slack_as_they_were(text):
    words = plain(text)

    assert from_slack(for_slack(words, 5_000)) == words


def test_an_entity_is_never_cut_in_two():
    assert for_slack("<" * 50_000, 100).removesuffix("…").replace("&lt;", "") == ""


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        (FAMILY * 3, 12, FAMILY * 2 + "…"),
        ("🇩🇪🇫🇷🇯🇵", 4, "🇩🇪…"),
        ("👍🏽👍🏽👍🏽", 4, "👍🏽…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("❤️❤️❤️", 4, "❤️…"),
        ("short", 5, "short"),
        ("", 1, ""),
    ],
)
def test_text_is_cut_between_what_people_see_as_characters(text, most, shown):
    assert cut(text, most) == shown


def test_a_single_endless_character_is_cut_to_nothing_but_an_ellipsis():
    assert cut("z" + "\u0300" * 50_000, 100) == "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u202elive\u202c now", "paylive now"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tags\U000e0041\U000e0042", "tags"),
        ("two\nlines\tand\x00a\x1b[31mbell\x07", "two lines anda[31mbell"),
        ("half \ud83d pair", "half pair"),
        (FAMILY, FAMILY),
        ("a\u200db", "ab"),
    ],
)
def test_what_cannot_be_seen_is_dropped(text, shown):
    assert plain(text) == shown


@pytest.mark.parametrize(
    "url",
    [
        "https://northwind.slack.com/archives/C01/p1700000000000100?thread_ts=1.1&cid=C01",
        "https://acme.enterprise.slack.com/archives/C01/p17",
        "https://play.google.com/store/apps/details?id=com.example&reviewId=gp:AOq-1_x",
        "https://apps.apple.com/de/app/id123?see-all=reviews",
        "https://itunes.apple.com/de/review?id=123&type=Purple%20Software",
    ],
)
def test_our_permalinks_are_links(url):
    assert our_link(url) == url


def test_a_link_to_a_host_that_was_named_is_ours_and_nothing_that_only_looks_like_it():
    hosts = ("support.example.com",)

    assert our_link("https://support.example.com/t/1", hosts) == "https://support.example.com/t/1"
    assert our_link("https://support.example.com/t/1") is None
    for near in (
        "support.example.com.evil.example",
        "me@support.example.com",
        "supportxexample.com",
        "a.support.example.com",
    ):
        assert our_link(f"https://{near}/t/1", hosts) is None


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "http://northwind.slack.com/archives/C01",
        "https://slack.com.evil.example/archives",
        "https://evil.example/?https://northwind.slack.com/",
        "https://northwind.slack.com@evil.example/",
        "https://northwind.slack.com:8443/archives",
        "https://northwind.slack.com/archives|<!channel>",
        'https://play.google.com/"onmouseover="alert(1)',
        "https://play.google.com/\u202eelgoog",
        "https://play.google.com/a\n",
        "https://play.google.com/" + "a" * 500,
        "data:text/html,hi",
    ],
)
def test_anything_else_is_no_link(url):
    assert our_link(url) is None
