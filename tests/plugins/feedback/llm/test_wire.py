"""The form in which questions and answers travel: short, complete, and read back whatever liberties a model takes."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from feedback.llm.wire import Form, codes, rows_text, text_json
from include.enrichments import ENRICHMENTS

FORMS = {enrichment.name: enrichment.form for enrichment in ENRICHMENTS}
TEXT = ["Speaker A: Wickerbee is slow.", "It takes minutes."]
WORDS = st.lists(st.text("abc_", min_size=1, max_size=5), max_size=12, unique=True)


class Nested(BaseModel):
    kind: Literal["a", "b"]
    amount: float
    tags: list[str]


@given(WORDS, WORDS)
def test_a_code_is_one_words_own_beginning_or_the_word_itself(words, taken):
    made = codes(words, taken)

    assert list(made) == words
    assert len(set(made.values())) == len(words)
    for word, code in made.items():
        others = {*words, *taken} - {word}
        assert word.startswith(code)
        assert code == word or not any(other.startswith(code) for other in others)


def test_rows_travel_numbered_with_their_rating_and_cannot_break_out_of_their_text():
    sent = rows_text([(4, text_json(['He said "}]}', "[2,5,\\"])), (None, text_json(["two"]))])

    assert json.loads(sent) == {"rows": [[1, 4, '1 He said "}]}\n2 [2,5,\\'], [2, None, "1 two"]]}


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        (
            "sentiment",
            {"l": "neg", "n": [-70, 1, 90]},
            {"label": "negative", "score": -0.7, "quote": "Wickerbee is slow.", "confidence": 0.9},
        ),
        (
            "sentiment",
            {"l": "neu", "n": [0, 0, 100]},
            {"label": "neutral", "score": 0, "quote": None, "confidence": 1.0},
        ),
        (
            "sentiment",
            {"label": "mixed", "score": -0.5, "quote": "takes minutes", "confidence": 1},
            {"label": "mixed", "score": -0.5, "quote": "takes minutes", "confidence": 1},
        ),
        ("intent", {"l": "b", "n": ["slow", 0.8]}, {"label": "bug_report", "quote": "slow", "confidence": 0.8}),
        (
            "mentions",
            {"l": "p", "s": "Wickerbee", "n": [1]},
            {"kind": "product", "surface": "Wickerbee", "quote": "Wickerbee is slow."},
        ),
        ("intent", {"l": "b", "n": [9, 80]}, {"label": "bug_report", "quote": None, "confidence": 0.8}),
        ("intent", {"l": "b", "n": [9]}, {"label": "bug_report"}),
    ],
)
def test_an_answer_is_read_by_codes_and_numbers_or_by_names_and_words(name, sent, read):
    assert FORMS[name].values(sent, TEXT) == read


def test_a_type_without_a_short_form_travels_as_it_is():
    form = Form(Nested, ("a", "b"))
    row = {"kind": "a", "amount": 250.0, "tags": ["x"]}

    assert list(form.schema["properties"]) == list(row)
    assert form.values(row, TEXT) == row


def test_a_label_alone_travels_as_its_code():
    class Label(BaseModel):
        label: Literal["calm", "urgent"]

    form = Form(Label, ("calm", "urgent"))

    assert form.schema == {"type": "string", "enum": ["c", "u"]}
    assert form.values("u", TEXT) == form.values({"label": "urgent"}, TEXT) == {"label": "urgent"}
    with pytest.raises(ValueError, match="neither"):
        form.values(3, TEXT)


def test_a_share_beyond_one_has_no_short_form():
    class Amount(BaseModel):
        label: Literal["a"]
        amount: Annotated[float, Field(ge=0, le=500)]

    assert Form(Amount, ("a",)).schema["properties"]["amount"] == {"type": "number"}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_labels_are_held_by_the_schema_and_nothing_in_it_is_a_union(name):
    schema = json.dumps(FORMS[name].schema)

    assert json.dumps(list(FORMS[name].codes.values())) in schema
    assert "anyOf" not in schema
