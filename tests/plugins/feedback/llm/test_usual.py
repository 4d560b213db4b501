"""What is reserved for an answer follows what answers take, and is never so tight that a usual one is cut."""

from __future__ import annotations

import pytest

from feedback.llm.pack import Pack
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.usual import ENOUGH, Usual
from tests.plugins.feedback.llm.conftest import BOTH, INTENT, SENTIMENT

MODEL = Model("m", max_output=100_000)


@pytest.fixture
def pack(row):
    """Return a pack of so many rows."""
    questions = Registry((SENTIMENT, INTENT)).questions(BOTH)
    return lambda rows: Pack(tuple(row(f"text {n}") for n in range(rows)), questions, MODEL)


def test_until_answers_have_come_the_page_tells_how_long_they_are(pack):
    usual = Usual()

    assert usual.output(pack(20)) == pack(20).answer_tokens
    assert usual.limit(pack(20)) == pack(20).output_limit


def test_what_is_reserved_comes_close_to_what_was_measured(pack):
    usual = Usual()
    for _ in range(ENOUGH):
        usual.note(pack(20), 400, is_cut=False)

    assert usual.output(pack(10)) == 200
    assert 400 < usual.limit(pack(20)) < 2 * 400


def test_an_answer_that_was_cut_off_gives_the_next_ones_more_room(pack):
    usual = Usual()
    for _ in range(ENOUGH):
        usual.note(pack(20), 400, is_cut=False)
    tight = usual.limit(pack(20))

    usual.note(pack(20), tight, is_cut=True)

    assert usual.limit(pack(20)) >= 2 * tight


def test_a_row_alone_has_all_the_room_there_is(pack):
    usual = Usual()
    for _ in range(ENOUGH):
        usual.note(pack(20), 400, is_cut=False)

    assert usual.limit(pack(1)) == pack(1).output_limit > 20 * 10


def test_models_and_questions_are_told_apart(pack, row):
    usual = Usual()
    for _ in range(ENOUGH):
        usual.note(pack(20), 4_000, is_cut=False)
    other = Pack(pack(20).rows, pack(20).questions, Model("other", max_output=100_000))

    assert usual.output(other) == other.answer_tokens
