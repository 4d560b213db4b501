"""Which paid answers an erasure reaches: those of earlier prompts and of parts of a long text too, and no others."""

from __future__ import annotations

import pytest

from feedback.erasure.answers import Said, paid, theirs_alone
from feedback.llm.ledger import answer_key
from feedback.llm.prices import Model
from feedback.model import utc_now
from feedback.warehouse.merge import append
from include.enrichments import ENRICHMENTS

SENTIMENT = ENRICHMENTS[0]


@pytest.fixture
def keep(warehouse):
    """Return a function that puts an answer into the ledger."""

    def keep(key, quote=None, call_id="c1", model="m", row_count=2, answer=None):
        call = {"call_id": call_id, "purpose": "enrich", "dag_id": "d", "task_id": "t", "run_id": "r", "attempt": 1}
        call |= {"model": model, "mode": "online", "prompt_versions": {}, "row_count": row_count, "status": "settled"}
        call |= dict.fromkeys(("reserved_usd", "cost_usd"), 0.0) | {"started_at": utc_now()}
        tokens = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
        append(warehouse, "ops.llm_calls", [call | dict.fromkeys(tokens, 0)])
        row = {"answer_key": key, "enrichment": "sentiment", "answer": answer or {"label": "negative", "quote": quote}}
        row |= {"model": model, "co_asked": "-", "call_id": call_id, "answered_at": utc_now()}
        append(warehouse, "ops.llm_answers", [row])

    return keep


@pytest.mark.parametrize("snapshot", ["m", "m-2026-01-01"])
def test_an_answer_without_a_quote_is_found_by_its_key(warehouse, keep, snapshot):
    mine = answer_key("hash of a text", SENTIMENT, Model(snapshot))
    keep(mine, model=snapshot)
    keep(answer_key("hash of another", SENTIMENT, Model(snapshot)), model=snapshot)

    assert paid(warehouse, Said(hashes={"hash of a text"}), ENRICHMENTS) == {mine}


def test_an_answer_to_an_earlier_prompt_is_found_by_its_call_and_quote(warehouse, keep):
    keep("of an earlier prompt", "it is slow")
    keep("in a list", answer={"mentions": [{"surface": "it", "quote": "it is slow"}]})
    keep("beside it", "it is fast")
    keep("elsewhere", "it is slow", call_id="c2")

    found = Said(call_ids={"c1"}, quotes={"it is slow"})

    assert paid(warehouse, found, ENRICHMENTS) == {"of an earlier prompt", "in a list"}


def test_answers_to_parts_of_a_long_text_are_found_by_what_they_repeat(warehouse, keep):
    long_text = "nothing " * 400 + "and then it crashed"
    keep("the whole", "and then it crashed", row_count=1)
    keep("a part", "nothing nothing", call_id="c2", row_count=1)
    keep("another item", "something", call_id="c3", row_count=1)
    keep("in a pack", "nothing", call_id="c4", row_count=2)

    found = Said(call_ids={"c1"}, quotes={"and then it crashed"}, long_texts=[long_text])

    assert paid(warehouse, found, ENRICHMENTS) == {"the whole", "a part"}


def test_many_keys_are_asked_for_some_at_a_time(warehouse, keep):
    texts = {f"text {n}" for n in range(1_001)}
    mine = answer_key("text 1000", SENTIMENT, Model("m"))
    keep(mine)

    assert paid(warehouse, Said(hashes=texts), ENRICHMENTS) == {mine}


def test_a_name_of_the_catalog_is_nobodys_secret(warehouse, run):
    decision = {"decision_id": "1", "kind": "product", "norm": "slack", "verdict": "same", "run_id": "r"}
    append(warehouse, "ops.entity_decisions", [{**decision, "decided_by": "catalog", "decided_at": utc_now()}])

    assert theirs_alone(warehouse, {("product", "slack"), ("product", "zanzibar")}, run) == {("product", "zanzibar")}
