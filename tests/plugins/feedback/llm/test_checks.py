"""Rows asked beside others and once more alone: how many, how well they agree, and what follows from it."""

from __future__ import annotations

import json

import pytest

from feedback.llm.asking import Asking
from feedback.llm.cascade import Models
from feedback.llm.checks import FIRST, PackChecks, agreement
from feedback.llm.ledger import Ledger
from feedback.llm.owed import write_down
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.llm.service import Endpoint
from feedback.llm.session import Session
from feedback.model import Run, utc_now
from feedback.validation.batch import ENOUGH_CHECKS as ENOUGH
from feedback.warehouse.merge import append
from include.enrichments import ENRICHMENTS
from tests.plugins.feedback.llm import items
from tests.plugins.feedback.llm import stand_in as service
from tests.plugins.feedback.llm.conftest import INTENT, SENTIMENT

MODEL = Model("m", window=1_000_000, max_output=100_000)
(AREA,) = (one for one in ENRICHMENTS if one.name == "area")


@pytest.fixture
def ask(warehouse, stand_in):
    """Return a function that publishes new texts, asks what is owed, and returns the session's ledger."""

    def one(run_id, texts, **options):
        items.publish(warehouse, texts)
        run = Run(run_id, "enrich_feedback", "ask")
        ledger = Ledger(warehouse, run, "online")
        write_down(warehouse, (SENTIMENT, INTENT), run, is_offline=False, as_of=None)
        asking = Asking(prices=(), **{"pack": 10} | options)
        endpoint = Endpoint("openai_default", stand_in.base_url, "key")
        Session(ledger, (SENTIMENT, INTENT), asking, endpoint, Models(MODEL), lambda *said, **more: None).ask_owed()
        return ledger

    return one


def kept(warehouse, columns="enrichment, pack_rows, agreement", order="text_hash, enrichment"):
    return [tuple(row.values()) for row in warehouse.rows(f"select {columns} from ops.pack_checks order by {order}")]


def checks(warehouse, run, wanted=20):
    return PackChecks(warehouse, Registry((SENTIMENT, INTENT)), MODEL, run, wanted)


def found(warehouse, n, agreement, enrichment=SENTIMENT, pack_rows=20):
    """Keep checks as runs before this one have."""
    row = {"enrichment": enrichment.name, "prompt_version": enrichment.prompt_version, "model": "m"}
    row |= {"pack_rows": pack_rows, "agreement": agreement, "call_id": "c", "run_id": "r", "checked_at": utc_now()}
    append(warehouse, "ops.pack_checks", [{**row, "text_hash": f"{agreement}-{pack_rows}-{i}"} for i in range(n)])


def test_one_row_in_ten_is_also_asked_alone_and_its_calls_are_counted_apart(ask, warehouse, stand_in):
    ledger = ask("r1", [f"Page {n} is slow." for n in range(40)])

    assert dict(ledger.calls_for) == {"enrich": 4, "check": 4}
    assert [len(pack) for pack in stand_in.packs] == [10] * 4 + [1] * 4
    assert {(pack_rows, agreement) for _, pack_rows, agreement in kept(warehouse)} == {(10, 1.0)}
    assert len(kept(warehouse)) == 4 * 2
    purposes = warehouse.rows("select purpose, count(*) as n from ops.llm_calls group by 1 order by 1")
    assert purposes == [{"purpose": "check", "n": 4}, {"purpose": "enrich", "n": 4}]


def test_an_answer_that_is_another_one_alone_is_kept_as_disagreement(ask, warehouse, stand_in):
    def moody(body, rows):
        answers = service.right(body, rows)
        for answer in answers:
            answer[service.asked_of(body)["sentiment"]]["l"] = "p" if len(rows) == 1 else "neg"
        return service.completion(json.dumps({"answers": answers}))

    stand_in.poison = {"Page": moody}
    ask("r1", [f"Page {n} is slow." for n in range(10)])

    assert {(name, agreed) for name, _, agreed in kept(warehouse)} == {("intent", 1.0), ("sentiment", 0.0)}
    assert warehouse.rows("select count(*) as n from staging.sentiment where label = 'negative'") == [{"n": 10}]


def test_nobody_is_checked_who_was_asked_alone_or_when_it_is_not_wanted(ask, stand_in):
    assert dict(ask("r1", [f"Page {n} is slow." for n in range(20)], pack=1).calls_for) == {"enrich": 20}
    assert dict(ask("r2", [f"Screen {n} is slow." for n in range(20)], checks=False).calls_for) == {"enrich": 2}


def test_once_enough_is_known_hardly_a_row_is_checked(ask, warehouse):
    found(warehouse, FIRST, 1.0)
    found(warehouse, FIRST, 1.0, INTENT)

    assert dict(ask("r1", [f"Page {n} is slow." for n in range(20)], pack=20).calls_for)["enrich"] == 1
    assert len(kept(warehouse)) <= 2 * FIRST + 2


def test_a_new_prompt_is_checked_anew(warehouse, run):
    found(warehouse, FIRST, 1.0)
    found(warehouse, FIRST, 1.0, INTENT)
    assert checks(warehouse, run).first == 0

    warehouse.transact(["update ops.pack_checks set prompt_version = 'earlier' where enrichment = 'intent'"])

    assert checks(warehouse, run).first == FIRST


@pytest.mark.parametrize(
    ("n", "agreement", "most_rows"), [(ENOUGH, 0.89, 10), (ENOUGH, 0.91, 20), (ENOUGH - 1, 0.0, 20)]
)
def test_packs_are_halved_where_answers_disagree_and_enough_is_known(warehouse, run, n, agreement, most_rows):
    found(warehouse, n, agreement)

    assert checks(warehouse, run).most_rows == most_rows


def test_packs_are_halved_until_answers_agree(warehouse, run):
    found(warehouse, ENOUGH, 0.5, pack_rows=20)
    found(warehouse, ENOUGH, 0.8, pack_rows=9)
    found(warehouse, ENOUGH, 0.95, pack_rows=5)

    assert checks(warehouse, run).most_rows == 5


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (["billing", "search"], ["search", "billing"], 1.0),
        (["billing"], [], 0.0),
        ([], [], 1.0),
        (["billing", "search"], ["search"], 0.5),
    ],
)
def test_lists_agree_as_far_as_they_name_the_same(one, other, share):
    assert agreement(AREA, areas(*one), areas(*other)) == share


def areas(*labels):
    return {"areas": [{"label": label, "quote": "q", "confidence": 0.5} for label in labels]}
