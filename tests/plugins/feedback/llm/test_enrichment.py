"""A page holds prompt and answer type together, and its version moves when either does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedback.errors import SettingError


@pytest.mark.parametrize(
    ("before", "after"),
    [("- `mixed`: both\n", ""), ("- `mixed`: both\n", "- `mixed`: both\n- `angry`: very\n"), ("`mixed`", "`good`")],
)
def test_a_label_in_prompt_or_type_alone_is_refused(sentiment, before, after):
    with pytest.raises(SettingError, match="sentiment: prompt and answer type"):
        replace(sentiment, prompt=sentiment.prompt.replace(before, after))


def test_the_version_moves_with_the_words_and_with_nothing_else(sentiment):
    assert replace(sentiment, prompt=sentiment.prompt + "More.").prompt_version != sentiment.prompt_version
    assert replace(sentiment, rules=(), answer_tokens=9).prompt_version == sentiment.prompt_version


def test_labels_come_from_the_type(sentiment):
    assert sentiment.labels == ("positive", "neutral", "negative", "mixed")
    assert sentiment.table == "feedback.sentiment"


def test_an_answer_that_not_every_service_can_be_held_to_is_refused_with_its_page(sentiment):
    class Loose(sentiment.answer_type):
        extra: dict[str, str]

    with pytest.raises(SettingError, match=r"Loose\.extra is an open dict"):
        replace(sentiment, answer_type=Loose)
