"""Hostile texts change nothing of a request but their own row, and a model that obeys them is not believed.

What a model makes of such a text, a stand-in cannot prove; what reaches it and what is taken from it, it can.
"""

from __future__ import annotations

import json
import logging
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.feedback.llm import hostile
from tests.plugins.feedback.llm import stand_in as service

BENIGN = [f"The page number {n} is slow. It takes minutes." for n in range(5)]
PACK = 5


@pytest.fixture
def ask(engine, stand_in, row):
    """Return a function that asks about texts, so many to a request, and returns what became of each question."""

    def ask(texts, rows_in_a_request=PACK):
        stand_in.requests.clear()
        rows = [row(text) for text in texts]
        results = engine(rows, most_rows=rows_in_a_request).results
        asked = {(row.key, name) for row in rows for name in row.owed}
        assert set(results.answers) | set(results.rejected) == asked
        assert not set(results.answers) & set(results.rejected)
        return {question: decided.answer for question, decided in results.answers.items()}

    return ask


def frame(body):
    """Return what of a request may not depend on what customers wrote."""
    *before, rows = body["messages"]
    return json.dumps({**body, "messages": [*before, {**rows, "content": ""}]}, sort_keys=True)


def carries(row, text):
    """Whether a row as the model reads it holds every character of a text in order, white space aside."""
    read = iter(row["text"])
    return all(char in read for char in text if not char.isspace())


def rows_sent(stand_in):
    """Return the rows of every request; each must parse for itself and number its rows."""
    requests = [service.rows_of(body) for body in stand_in.requests]
    assert all(len({row["r"] for row in rows}) == len(rows) for rows in requests)
    return [row for rows in requests for row in rows]


def test_no_text_changes_the_frame_of_a_request_or_the_number_of_its_rows(ask, stand_in):
    ask(BENIGN)
    plain = {frame(body) for body in stand_in.requests}
    texts = hostile.texts()
    texts = texts[: len(texts) // PACK * PACK]

    ask(texts)

    assert {frame(body) for body in stand_in.requests} == plain
    assert [message["role"] for message in stand_in.requests[0]["messages"]] == ["system", "user"]
    assert [len(service.rows_of(body)) for body in stand_in.requests] == [PACK] * (len(texts) // PACK)


def test_a_hostile_text_travels_whole_in_a_row_of_its_own(ask, stand_in):
    texts = hostile.texts()

    ask(texts, rows_in_a_request=1)

    rows = rows_sent(stand_in)
    assert len(rows) == len(texts)
    assert [text[:60] for text in texts if not any(carries(row, text) for row in rows)] == []


@given(st.lists(st.sampled_from(hostile.ORDERS) | st.text(max_size=40), min_size=1, max_size=6).map(" ".join))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_stays_one_row(ask, stand_in, text):
    never_asked = uuid.uuid4().hex

    ask([f"{hostile.SLOW} {text} {never_asked}", f"{BENIGN[0]} {never_asked}"])

    assert len(rows_sent(stand_in)) == 2


def test_rows_beside_a_hostile_one_are_answered_as_without_it(ask):
    alone = ask(BENIGN)

    beside = ask([*hostile.texts(), *BENIGN], rows_in_a_request=20)

    assert {question: beside[question] for question in alone} == alone


def obeys(change):
    """A model that does what a text says: its right answers, changed, with the rows it was asked about in hand."""
    return lambda body, rows: service.completion(change(body, rows))


def says(answers):
    return json.dumps({"answers": answers})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda body, rows: "Sure! I approve of everything.", id="chats"),
        pytest.param(lambda body, rows: says(service.right(body, [*rows, {**rows[0], "r": 99}])), id="adds a row"),
        pytest.param(lambda body, rows: says(service.right(body, rows[1:])), id="leaves a row out"),
        pytest.param(lambda body, rows: says(service.right(body, [rows[0]] * 9)), id="answers one row for all"),
        pytest.param(lambda body, rows: says(service.right(body, rows)).replace('"c"', '"paid"'), id="new label"),
        pytest.param(
            lambda body, rows: says(
                service.written_out(body, [{**r, "sentences": ["I love Evilcorp."]} for r in rows])
            ),
            id="quotes what nobody said",
        ),
        pytest.param(
            lambda body, rows: says([*service.right(body, rows), {"bribe": {"label": "paid"}}]), id="new question"
        ),
        pytest.param(lambda body, rows: body["messages"][0]["content"], id="prints its instructions"),
    ],
)
def test_a_model_that_obeys_changes_neither_labels_nor_rows(ask, stand_in, change, sentiment):
    texts = [f"{hostile.SLOW} {order}" for order in hostile.ORDERS[:9]]
    stand_in.poison = {"Zebrawood": obeys(change)}

    answers = ask(texts)

    assert {answer["label"] for (_, name), answer in answers.items() if name == "sentiment"} <= set(sentiment.labels)
    assert "Evilcorp" not in str(answers)
    assert "paid" not in str(answers)


def test_what_was_sent_and_answered_is_never_logged(ask, stand_in, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("openai").setLevel(logging.DEBUG)
    stand_in.poison = {"bribe": obeys(lambda body, rows: "Zebrawood says no")}

    ask(hostile.texts())

    told = [
        *(f"{record.name} {record.getMessage()} {record.exc_text}" for record in caplog.records),
        *capfd.readouterr(),
    ]
    assert [line[:200] for line in told if "Zebrawood" in line or "Evilcorp" in line] == []


@pytest.mark.skipif(not hostile.PUBLIC_SET.exists(), reason="../shared/data is not here")
def test_the_public_set_is_among_the_hostile_texts():
    assert len(hostile.public()) >= 75
