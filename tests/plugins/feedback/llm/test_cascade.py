"""Who answers: a rule, the ledger, the small model, the large one; each what those before it left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from feedback.llm.ledger import Ledger
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from include.enrichments import ENRICHMENTS
from tests.plugins.feedback.llm import stand_in as service
from tests.plugins.feedback.llm.conftest import BOTH, INTENT, SENTIMENT

SMALL, LARGE = Model("small", window=100_000, max_output=10_000), Model("large", window=100_000, max_output=10_000)
CAREFUL = (replace(SENTIMENT, unsure_below=0.6), INTENT)
TEXTS = [f"Page {n} is slow." for n in range(4)]


def unsure(body, rows):
    """Answer right, but unsure of the sentiment of what is said to be odd."""
    answers = service.right(body, rows)
    key = service.asked_of(body).get("sentiment")
    for answer, row in zip(answers, rows, strict=True):
        if key and "odd" in row["text"]:
            answer[key]["n"] = [0, 1, 59 if body["model"] == "small" else 10]
    return service.completion(json.dumps({"answers": answers}), "stop", (100, 10), {})


def decided(done, row):
    return {
        name: (one.decided_by, one.model) for name in row.owed if (one := done.results.answers.get((row.key, name)))
    }


def asked(stand_in, model):
    return [text for body in stand_in.requests if body["model"] == model for text in texts(body)]


def texts(body):
    return [row["text"] for row in service.rows_of(body)]


@pytest.mark.parametrize(
    ("text", "rating", "label"),
    [("Great app!!", 5, "positive"), ("  worst   APP. ", 1, "negative"), ("love it", None, "positive")],
)
def test_what_many_write_word_for_word_is_answered_without_a_model(engine, stand_in, text, rating, label):
    row = Row(text, rating, tuple(one.name for one in ENRICHMENTS))

    done = engine([row], enrichments=ENRICHMENTS)

    assert stand_in.requests == []
    assert set(decided(done, row).values()) == {("rule", None)}
    answer = done.results.answers[row.key, "sentiment"].answer
    assert (answer["label"], answer["quote"]) == (label, text.strip())


@pytest.mark.parametrize(("text", "rating"), [("Great app!!", 1), ("Great app?", 5), ("Great app, but slow", 5)])
def test_stars_that_disagree_and_any_other_word_are_for_a_model(engine, stand_in, text, rating):
    row = Row(text, rating, tuple(one.name for one in ENRICHMENTS))

    engine([row], enrichments=ENRICHMENTS)

    assert asked(stand_in, "small") == [text]


def test_what_the_small_model_is_unsure_of_the_large_one_decides(engine, stand_in):
    rows = [Row(text, None, BOTH) for text in [*TEXTS, "An odd page."]]
    stand_in.poison = {" ": unsure}

    done = engine(rows, model=SMALL, large_model=LARGE, enrichments=CAREFUL)

    assert asked(stand_in, "large") == ["An odd page."]
    assert decided(done, rows[4]) == {"sentiment": ("llm", "large"), "intent": ("llm", "small")}
    assert set(decided(done, rows[0]).values()) == {("llm", "small")}


def test_an_unsure_answer_stands_where_there_is_no_large_model(engine, stand_in):
    row = Row("An odd page.", None, BOTH)
    stand_in.poison = {" ": unsure}

    done = engine([row], model=SMALL, enrichments=CAREFUL)

    assert set(decided(done, row).values()) == {("llm", "small")}


def test_an_unsure_answer_stands_where_the_large_model_gives_none(engine, stand_in):
    row = Row("An odd page.", None, BOTH)

    def refusing(body, rows):
        return service.status(400, "refused")(body, rows) if body["model"] == "large" else unsure(body, rows)

    stand_in.poison = {" ": refusing}

    done = engine([row], model=SMALL, large_model=LARGE, enrichments=CAREFUL)

    assert set(decided(done, row).values()) == {("llm", "small")}
    assert done.results.rejected == {}


def test_what_the_small_model_answers_invalidly_twice_the_large_one_is_asked_alone(engine, stand_in):
    rows = [Row(text, None, BOTH) for text in [*TEXTS, "A hard page."]]

    def prose(body, asked):
        answers = [
            answer for answer, row in zip(service.right(body, asked), asked, strict=True) if "hard" not in row["text"]
        ]
        return service.completion(json.dumps({"answers": answers}), "stop", (100, 10), {})

    stand_in.poison = {"hard": lambda body, rows: prose(body, rows) if body["model"] == "small" else None}

    done = engine(rows, model=SMALL, large_model=LARGE)

    assert asked(stand_in, "large") == ["A hard page."]
    assert asked(stand_in, "small").count("A hard page.") >= 2
    assert set(decided(done, rows[4]).values()) == {("llm", "large")}


def test_what_the_large_model_was_paid_for_is_known_the_next_time(engine, stand_in, warehouse, run):
    row = Row("An odd page.", None, BOTH)
    stand_in.poison = {" ": unsure}
    engine([row], model=SMALL, large_model=LARGE, enrichments=CAREFUL)
    before = len(stand_in.requests)

    done = engine([row], model=SMALL, large_model=LARGE, enrichments=CAREFUL, ledger=Ledger(warehouse, run, "online"))

    assert len(stand_in.requests) == before
    assert decided(done, row) == {"sentiment": ("cache", "large"), "intent": ("cache", "small")}
