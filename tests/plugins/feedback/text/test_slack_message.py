"""A message of any age and shape becomes plain text, and none stops a load."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.text.mrkdwn import Names
from feedback.text.slack_message import words

NAMES = Names(lambda user: f"Speaker {user}", {"C1": "general"})


def rich(*elements):
    return [{"type": "rich_text", "elements": list(elements)}]


def section(*elements):
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words):
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("message", "reads"),
    [
        ({"text": "only &amp; text"}, "only & text"),
        ({"text": "fallback", "blocks": rich(section(text("a & b *not bold*")))}, "a & b *not bold*"),
        ({"text": "fallback", "blocks": [{"type": "divider"}]}, "fallback"),
        (
            {
                "blocks": rich(
                    section(
                        {"type": "user", "user_id": "U1"},
                        text(" "),
                        {"type": "channel", "channel_id": "C1"},
                        text(" "),
                        {"type": "link", "url": "https://a.example", "text": "page"},
                        text(" "),
                        {"type": "emoji", "name": "tada", "unicode": "1f389"},
                        {"type": "emoji", "name": "+1"},
                        text(" "),
                        {"type": "broadcast", "range": "here"},
                        text(" "),
                        {"type": "date", "timestamp": 1700000000, "fallback": "Nov 14"},
                        text(" "),
                        {"type": "text", "text": "x = 1", "style": {"code": True}},
                    )
                )
            },
            "@Speaker U1 #general page (https://a.example) 🎉👍 @here Nov 14 `x = 1`",
        ),
        (
            {
                "blocks": rich(
                    {
                        "type": "rich_text_list",
                        "style": "ordered",
                        "elements": [section(text("one")), section(text("two"))],
                    },
                    {"type": "rich_text_quote", "elements": [text("they said")]},
                    {"type": "rich_text_preformatted", "elements": [text("if a < b:\n  pass")]},
                )
            },
            "1. one\n2. two\n> they said\n```\nif a < b:\n  pass\n```",
        ),
        (
            {
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Form :tada:"}},
                    {
                        "type": "section",
                        "text": {"type": "mrkdwn", "text": "*Plan*: pro"},
                        "fields": [{"type": "mrkdwn", "text": "_A_"}],
                    },
                    {"type": "context", "elements": [{"type": "image"}, {"type": "mrkdwn", "text": "by <@U1>"}]},
                    {"type": "markdown", "text": "**md**"},
                ]
            },
            "Form 🎉\nPlan: pro\nA\n by @Speaker U1\n**md**",
        ),
        (
            {
                "text": "look",
                "attachments": [
                    {
                        "pretext": "before",
                        "title": "Title",
                        "text": "<https://a.example|a>",
                        "fields": [{"title": "Plan", "value": "pro"}],
                        "fallback": "unused",
                    },
                    {"fallback": "said otherwise"},
                ],
            },
            "look\nbefore\nTitle\na\nPlan: pro\nsaid otherwise",
        ),
        (
            {"text": "see", "files": [{"title": "Log", "name": "log.txt", "preview": "error 7"}]},
            "see\nerror 7\n[file: Log]",
        ),
        ({"text": "", "files": [{"name": "screen.png"}]}, ""),
        (
            {"text": "", "files": [{"name": "v.m4a", "transcription": {"preview": {"content": "hello there"}}}]},
            "hello there\n[file: v.m4a]",
        ),
        (
            {
                "subtype": "file_share",
                "text": "<@U1> uploaded a file: <https://x.example|a.js>",
                "file": {"name": "a.js"},
            },
            "",
        ),
        (
            {
                "subtype": "file_share",
                "text": "<@U1> uploaded a file: <https://x.example|a.js> and commented: why?",
                "file": {"name": "a.js"},
            },
            "why?\n[file: a.js]",
        ),
        ({"subtype": "file_comment", "text": "<@U1> commented on <@U2>’s file <https://x.example|a.js>: nice"}, "nice"),
        ({"text": "two\r\nlines"}, "two\nlines"),
        ({"text": None}, ""),
    ],
)
def test_says_what_a_reader_sees(message, reads):
    assert words(message, NAMES) == reads


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["rich_text", "user", "emoji"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "fields", "unicode", "url", "user_id", "preview", "rows", "style"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["text", "blocks", "attachments", "files", "file", "subtype"]), JSON))
def test_no_message_stops_it(message):
    assert isinstance(words(message, NAMES), str)


def test_what_nests_without_end_is_cut():
    element = text("deep")
    for _ in range(200):
        element = {"type": "rich_text_section", "elements": [element]}

    assert words({"blocks": rich(element), "text": "flat"}, NAMES) == "flat"
