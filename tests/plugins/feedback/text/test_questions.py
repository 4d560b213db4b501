"""What asks, asks in any script; what only holds a question mark does not."""

import pytest

from feedback.text.questions import is_question


@pytest.mark.parametrize(
    "text",
    [
        "Does it work?",
        "動きますか？",
        "هل يعمل؟",
        "Hi team, how do we export",
        "It fails. Any idea",
        "Is there a way to undo",
        "エクスポートはできますか。",
        "いつ修正されるのでしょうか\nよろしくお願いします",
        "可以导出吗。",
        "내보낼 수 있나요",
    ],
)
def test_a_question_asks(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "It works.",
        "see https://a.example/?q=1",
        "`a ? b : c` is what I wrote",
        "```x = a ? b : c```",
        "> does it?\nyes it does",
        "I know how to do it; fine",
        "Do not restart it",
        "できるかどうか、まだ分かりません。",
    ],
)
def test_what_says_something_asks_nothing(text):
    assert not is_question(text)


def test_a_hostile_text_takes_no_longer_than_another():
    assert not is_question("a." * 200_000)
