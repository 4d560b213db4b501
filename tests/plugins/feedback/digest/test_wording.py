from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from feedback.digest.wording import age, count, origin, plural, source_name, stars, words
from tests.plugins.feedback.digest.seeded import AS_OF


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(minutes=-5), "just now"),
        (timedelta(minutes=59), "just now"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=47), "47 hours ago"),
        (timedelta(hours=48), "2 days ago"),
        (timedelta(days=14), "14 days ago"),
    ],
)
def test_age_is_said_as_people_say_it(ago, text):
    assert age(AS_OF - ago, AS_OF) == text


@pytest.mark.parametrize(
    ("source", "channel", "said"),
    [
        ("slack", "general", "#general"),
        ("google_play", "com.example.app", "Google Play"),
        ("support_tickets", "support_tickets", "Support tickets"),
        ("support_tickets", "billing", "Support tickets, billing"),
    ],
)
def test_a_voice_comes_from_a_channel_a_store_or_a_source_by_its_name(source, channel, said):
    assert origin(SimpleNamespace(source=source, channel=channel)) == said
    assert source_name("slack") == "Slack"


def test_figures_read_as_words():
    assert plural(1, "answer") == "1 answer"
    assert plural(1_200, "answer") == "1,200 answers"
    assert count(2.5) == "2.5"
    assert words("bug_report") == "bug report"
    assert stars(2) == "★★☆☆☆"
    assert stars(None) == stars(9) == ""
