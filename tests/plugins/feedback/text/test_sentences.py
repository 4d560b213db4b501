"""A text in numbered sentences loses no word, and each sentence can be quoted as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.text.sentences import LONG, sentences, without_speaker

DIRTY = st.lists(
    st.sampled_from(
        [
            "It crashes.",
            "Why?! ",
            "v4.2.2 ",
            "\n",
            "\r\n",
            "\u2028",
            "  ",
            "日本語。",
            "x" * 300,
            "👍",
            "Speaker A: ok ",
        ]
    )
).map("".join)


@given(st.text(max_size=400) | DIRTY)
def test_no_character_is_lost_or_moved(text):
    found = sentences(text)

    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(sentence in text and sentence == sentence.strip() != "" for sentence in found)
    assert all(len(sentence) <= LONG and len(sentence.splitlines()) == 1 for sentence in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Since 4.2.2 the export fails every time. Is example.com down, or is it my plan?",
            ["Since 4.2.2 the export fails every time.", "Is example.com down, or is it my plan?"],
        ),
        ("Great. Love it. Ten out of ten!", ["Great. Love it. Ten out of ten!"]),
        ("One line\nanother line\n\nand a third", ["One line", "another line", "and a third"]),
        ("", []),
    ],
)
def test_a_sentence_is_what_a_reader_would_call_one(text, expected):
    assert sentences(text) == expected


def test_who_speaks_is_no_part_of_what_is_said():
    assert without_speaker("Speaker B: the sync is broken") == "the sync is broken"
    assert without_speaker("- the sync is broken") == "the sync is broken"
    assert without_speaker("Speaker") == "Speaker"
