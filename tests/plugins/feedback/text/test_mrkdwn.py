"""Slack's markup becomes what a reader sees."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedback.text.mrkdwn import Names, plain

NAMES = Names(lambda user: f"Speaker {user}", {"C1": "general"})


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("<@U1>: hi <@U2|bo>", "@Speaker U1: hi @Speaker U2"),
        ("<#C1> <#C2|random> <#C3>", "#general #random #C3"),
        ("<!here> <!channel> <!subteam^S1|@support> <!subteam^S1>", "@here @channel @support @group"),
        ("<!date^1700000000^{date}|Nov 14> <!date^1700000000^{date}>", "Nov 14 2023-11-14 22:13 UTC"),
        ("<https://a.example/b|our page> <https://a.example>", "our page (https://a.example/b) https://a.example"),
        ("<http://a.example|a.example>", "a.example"),
        ("<mailto:a@b.example|a@b.example> <tel:+491|+491>", "a@b.example +491"),
        ("*bold* _soft_ ~gone~ *_both_*", "bold soft gone both"),
        (
            "snake_case_name 2*3*4 __init__ <https://a.example/_x_/>",
            "snake_case_name 2*3*4 __init__ https://a.example/_x_/",
        ),
        (":tada: :+1::skin-tone-4: :our_own: 10:30:45", "🎉 👍🏽 :our_own: 10:30:45"),
        ("&lt;b&gt; &amp;lt; a &amp; b", "<b> &lt; a & b"),
        ("`*x* :tada: &lt;` ```*y*\n<https://a.example>```", "`*x* :tada: <` ```*y*\nhttps://a.example```"),
        ("<3 <> < <unknown>", "<3 <> < <unknown>"),
    ],
)
def test_reads_as_slack_shows_it(text, reads):
    assert plain(text, NAMES) == reads


@given(st.text())
def test_no_text_stops_it(text):
    plain(text, NAMES)


@given(st.text(alphabet="<>@#!|&;:*_~`^ abcU1\n", max_size=60))
@example("<|>")
def test_no_markup_stops_it(text):
    plain(text, NAMES)


@given(st.text(alphabet=st.characters(exclude_characters="<>&:*_~`", exclude_categories=["Cs"])))
def test_plain_text_stays_as_it_is(text):
    assert plain(text, NAMES) == text
