"""The parts of a long text become one answer."""

from __future__ import annotations

from feedback.llm.join import first_other_than, union, vote


def sentiment(label, score, quote="q"):
    return {"label": label, "score": score, "quote": quote, "confidence": 0.5}


def test_sentiment_is_voted_by_length():
    joined = vote(otherwise="mixed")([(10, sentiment("positive", 1.0, "a")), (90, sentiment("negative", -1.0, "b"))])

    assert joined == {"label": "negative", "score": -0.8, "quote": "b", "confidence": 0.5}


def test_sentiment_without_a_majority_is_mixed_and_quotes_the_longest_part():
    joined = vote(otherwise="mixed")(
        [
            (40, sentiment("positive", 1.0, "a")),
            (20, sentiment("neutral", 0, None)),
            (40, sentiment("negative", -1.0, "b")),
        ]
    )

    assert (joined["label"], joined["score"], joined["quote"]) == ("mixed", 0.0, "a")


def test_intent_is_the_first_that_is_not_other():
    join = first_other_than("other")

    assert join([(1, {"label": "other"}), (1, {"label": "question"}), (1, {"label": "praise"})]) == {
        "label": "question"
    }
    assert join([(1, {"label": "other"}), (1, {"label": "other"})]) == {"label": "other"}


def test_lists_are_united():
    parts = [(1, {"areas": [{"label": "a", "n": 1}]}), (1, {"areas": [{"label": "b", "n": 2}, {"label": "a", "n": 3}]})]

    assert union("areas", "label")(parts) == {"areas": [{"label": "a", "n": 1}, {"label": "b", "n": 2}]}
