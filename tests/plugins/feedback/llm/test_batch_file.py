"""Files of requests: each request in one of them, none larger than a service takes."""

from __future__ import annotations

import io
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.llm.batch_file import Request, files, outcomes
from feedback.llm.pack import Pack, Row
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from tests.plugins.feedback.llm.conftest import BOTH, INTENT, SENTIMENT

QUESTIONS = Registry((SENTIMENT, INTENT)).questions(BOTH)


def request(number, text, model):
    return Request(str(number), Pack((Row(text, None, BOTH),), QUESTIONS, Model(model)))


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.tuples(st.text(max_size=300), st.sampled_from(["small", "large"])), max_size=8),
    most_requests=st.integers(1, 5),
    room=st.integers(0, 3_000),
    room_tokens=st.integers(0, 800),
)
def test_every_request_is_in_one_file_and_no_file_breaks_a_limit(texts, most_requests, room, room_tokens):
    requests = [request(number, *one) for number, one in enumerate(texts)]
    most_bytes = max((len(one.line) for one in requests), default=0) + room
    most_tokens = max((one.pack.input_tokens for one in requests), default=0) + room_tokens

    written = []
    for file in files(requests, most_tokens, most_requests, most_bytes):
        assert len(file.requests) <= most_requests
        assert sum(one.pack.input_tokens for one in file.requests) <= most_tokens
        file.content.seek(0)
        content = file.content.read()
        assert len(content) <= most_bytes
        lines = [json.loads(line) for line in content.decode("ascii").splitlines()]
        assert [line["body"] for line in lines] == [one.pack.body(one.pack.output_limit) for one in file.requests]
        assert len({line["body"]["model"] for line in lines}) == 1
        written += [line["custom_id"] for line in lines]

    assert written == [one.call_id for one in requests]


WORDS = ["custom_id", "response", "status_code", "body", "choices", "message", "content", "usage", "error"]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


def almost(**fields):
    """Objects that have these fields, each with what belongs there or with anything."""
    return st.fixed_dictionaries({name: ANY | field for name, field in fields.items()})


LINE = almost(
    custom_id=st.just("a"),
    error=st.none(),
    response=almost(
        status_code=st.just(200),
        body=almost(
            choices=st.lists(almost(message=almost(content=st.text(max_size=3))), min_size=1, max_size=1),
            usage=almost(prompt_tokens=st.just(1), completion_tokens=st.just(1)),
        ),
    ),
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINE.map(json.dumps) | ANY.map(json.dumps) | st.text(max_size=20), max_size=3))
def test_whatever_stands_in_a_file_of_answers_is_an_outcome_that_can_be_written_down_or_nothing(lines):
    content = io.BytesIO("\n".join(line.replace("\n", " ") for line in lines).encode("utf-8", "replace"))

    for outcome in outcomes(content):
        assert outcome.call_id.isascii()
        assert outcome.status is None or outcome.status in range(100, 1000)
        assert isinstance(outcome.status, int | None)
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", outcome.word)
        if outcome.reply:
            assert isinstance(outcome.reply.content, str)
            counted = vars(outcome.reply.usage).values() if outcome.reply.usage else []
            assert all(isinstance(count, int) and count >= 0 for count in counted)
