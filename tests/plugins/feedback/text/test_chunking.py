"""A long text in parts: each fits, none is empty, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.llm import tokens
from feedback.text.chunking import chunks

WORDS = st.lists(
    st.sampled_from(["word", "Überlänge", "日本語", "\n\n", "\n", ". ", " ", "👍🏽", "e\u0301"]), max_size=200
).map("".join)


@given(text=WORDS | st.text(max_size=500), most=st.integers(1, 80))
def test_parts_joined_are_the_text_and_each_fits(text, most):
    parts = chunks(text, most)

    assert "".join(parts) == text
    assert all(len(part) <= most for part in parts)
    assert all(parts) or text == ""


@given(text=WORDS, most=st.integers(1, 40))
def test_parts_fit_by_the_measure_that_is_asked_for(text, most):
    assert all(tokens.estimate(part) <= most for part in chunks(text, most, tokens.estimate))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("First paragraph.\n\nSecond one. It goes on.", "First paragraph.\n\n"),
        ("A first line\nSecond line goes on", "A first line\n"),
        ("One sentence. Another goes on", "One sentence. "),
        ("only words stand here and go on", "only words stand here "),
        ("x" * 40, "x" * 22),
    ],
)
def test_cuts_at_the_best_boundary(text, first):
    assert chunks(text, 22)[0] == first
