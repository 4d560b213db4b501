from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from feedback.digest.compose import MOST_BLOCKS, MOST_CHARACTERS, compose
from feedback.digest.select import Window, select
from feedback.digest.team import Focus, Team
from tests.plugins.feedback.digest.seeded import AS_OF, say, seed

EVERYONE = Team("everyone", "Everyone", (Focus(),))
DAY = date(2026, 11, 2)


def composed(warehouse, team=EVERYONE):
    (selection,) = select(warehouse, [team], {team.name: Window(AS_OF - timedelta(days=7), AS_OF)})
    return compose(selection, DAY)


def strings(value):
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def test_a_digest_tells_in_two_sentences_what_to_know(warehouse):
    seed(warehouse)

    body = composed(warehouse)

    assert body["text"].startswith("70 voices reached Everyone since 26 October: ")
    assert "17 bug reports about sync/offline came in a week that usually brings 4" in body["text"]
    assert body["text"].endswith("offline model, not a language model.")
    assert body["notice"] == "Offline model, not a language model"


def test_a_real_model_is_not_called_offline(warehouse):
    say(warehouse, {"number": 1, "sentiment": "negative", "intent": "complaint", "model": "gpt-5-mini"})

    body = composed(warehouse)

    assert body["notice"] is None
    assert "offline" not in json.dumps(body)


def test_a_line_says_why_quotes_the_customer_and_links_to_the_message(warehouse):
    say(
        warehouse,
        {
            "number": 1, "text": "We cannot pay. Where is the invoice? Bye.", "quote": "Where is the invoice?",
            "is_unanswered": True, "posted_at": AS_OF - timedelta(days=3), "author_count": 4, "message_count": 6,
            "sentiment": "negative", "intent": "question", "areas": ("billing",), "is_stale": True,
        },
    )  # fmt: skip

    (line,) = composed(warehouse)["lines"]

    assert line == {
        "item_id": "slack:t:00001",
        "reason": "Unhappy question about billing, asked 3 days ago, still no answer, 4 people in the thread",
        "quote": "Where is the invoice?",
        "link": "https://northwind.slack.com/archives/C01/p0000000000000001",
        "source": "#customers",
        "stars": "",
        "age": "3 days ago",
        "is_stale": True,
    }


def test_blocks_keep_slacks_limits(warehouse):
    seed(warehouse)

    blocks = composed(warehouse)["blocks"]

    assert len(blocks) <= MOST_BLOCKS
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(1 <= len(block["text"]["text"]) <= 3_000 for block in blocks if block["type"] == "section")
    assert all(len(block["elements"]) <= 10 for block in blocks if block["type"] == "context")


def test_what_does_not_fit_is_left_out_and_counted(warehouse):
    link = "https://northwind.slack.com/archives/" + "C" * 450
    say(
        warehouse,
        *(
            {
                "number": n,
                "sentiment": "negative",
                "quote": f"{n}" + "&" * 900,
                "permalink": link,
                "channel_or_app": "<" * 90,
            }
            for n in range(20)
        ),
    )

    body = composed(warehouse)

    assert len(json.dumps(body["blocks"], ensure_ascii=False)) <= MOST_CHARACTERS < 10_000
    assert 1 <= body["counts"]["shown"] < 8
    assert f"{20 - body['counts']['shown']} more items not shown" in json.dumps(body["blocks"])


HOSTILE = [
    "<!channel> <!here> <@U123> <https://evil.example|your bank>",
    "<script>alert(1)</script></style><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) javascript:alert(1)",
    "\u202eevil\u2066 \u200bzero\u200b\x00\x1b[31m",
    "&lt;!channel&gt; &amp;lt;",
    "*bold* _it_ ~no~ `code` ```fence``` :tada: @here #general",
    "👨‍👩‍👧‍👦" * 500,
    "x" * 50_000,
    "&" * 50_000,
]


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_stay_words(warehouse, words):
    say(
        warehouse,
        {
            "number": 1, "text": words, "quote": words, "channel_or_app": words, "permalink": words,
            "sentiment": "negative", "intent": words, "areas": (words,), "is_unanswered": True,
        },
    )  # fmt: skip

    body = composed(warehouse, Team("everyone", words[:300], (Focus(),)))

    assert body["lines"][0]["link"] is None
    for text in strings(body):
        assert not any(mark in text for mark in ("<", ">", "\u202e", "\u2066", "\u200b", "\x00", "\x1b"))
        assert len(text) <= 3_000
    written = [
        element for block in body["blocks"] for element in [block.get("text"), *block.get("elements", [])] if element
    ]
    assert all(element["type"] == "plain_text" or words not in element["text"] for element in written)
    assert json.loads(json.dumps(body, ensure_ascii=False).encode()) == body
