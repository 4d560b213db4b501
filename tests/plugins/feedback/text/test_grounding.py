"""A quote is grounded when it stands in the text, however a model spaced or capitalised it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.text.grounding import locate

TEXT = "The  ﬁle won't\nopen. GROSSE Straße! Cafe\u0301 №5, it is slow… 日本語 ｶﾞ"


@pytest.mark.parametrize(
    ("quote", "span"),
    [
        ("it is slow", "it is slow"),
        ("the file won't open", "The  ﬁle won't\nopen"),
        ("grosse strasse", "GROSSE Straße"),
        ("CAFÉ", "Cafe\u0301"),
        ("slow...", "slow…"),
        ("No5", "№5"),
        ("日本語", "日本語"),
        ("  it is\tslow ", "it is slow"),
        ("ガ", "ｶﾞ"),
    ],
)
def test_returns_the_span_as_it_stands_in_the_text(quote, span):
    assert locate(quote, TEXT) == span


@pytest.mark.parametrize("quote", ["it was slow", "", "   ", "open it is slow", "the fire"])
def test_words_that_do_not_stand_there_are_not_found(quote):
    assert locate(quote, TEXT) is None


@given(text=st.text(min_size=1, max_size=80), data=st.data())
def test_what_is_found_stands_in_the_text_and_is_found_again(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    quote = text[start : data.draw(st.integers(start + 1, len(text)))]

    found = locate(quote, text)

    if quote.strip():
        assert found is not None
    if found is not None:
        assert found in text
        assert locate(found, text) == found


@given(st.text(alphabet="aB ßÉé\n\u0301ﬁ…", min_size=1, max_size=40))
def test_the_folded_form_of_a_text_is_found_in_it(text):
    if not text.strip() or text[0] == "\u0301":
        return

    assert locate(" ".join(text.casefold().split()), text) is not None
