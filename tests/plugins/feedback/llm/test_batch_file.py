"""Files of requests: each request in one of them, none larger than a service takes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.llm.batch_file import Request, files
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
        assert [line["body"] for line in lines] == [one.pack.body() for one in file.requests]
        assert len({line["body"]["model"] for line in lines}) == 1
        written += [line["custom_id"] for line in lines]

    assert written == [one.call_id for one in requests]
