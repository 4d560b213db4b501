"""Every question is paid once, and every cent is explained."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from feedback.errors import WarehouseError
from feedback.llm.ledger import Ledger, Paid, answer_key
from feedback.llm.prices import Model
from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.llm import stand_in as service

TEXTS = [f"The page number {n} is slow. It takes minutes." for n in range(10)]
PRICED = Model("priced", input=1.0, cached=1.0, cache_write=1.0, output=1.0, output_parameter="max_tokens")


def test_what_was_paid_is_never_asked_again(engine, stand_in, row, warehouse, run):
    engine([row(text) for text in TEXTS])

    again = engine([row(text) for text in [*TEXTS, "One more. Here."]], ledger=Ledger(warehouse, run, "online"))

    assert stand_in.packs[1:] == [["One more. Here."]]
    assert sorted(one.decided_by for one in again.results.answers.values()) == ["cache"] * 20 + ["llm"] * 2


def test_a_question_is_known_whatever_was_asked_beside_it(engine, stand_in, row, warehouse, run):
    engine([row(TEXTS[0], owed=("sentiment",))])

    engine([row(TEXTS[0])], ledger=Ledger(warehouse, run, "online"))

    asked = stand_in.requests[1]["response_format"]["json_schema"]["schema"]["properties"]["answers"]["items"]
    assert asked["required"] == ["r", "i"]


def test_answers_cross_neither_prompts_nor_families_nor_ratings(sentiment, row):
    key = answer_key(row("t").key, sentiment, Model("gpt-6-luna"))

    assert key == answer_key(row("t").key, sentiment, Model("gpt-6-luna-2026-09-22"))
    others = [
        answer_key(row("t").key, sentiment, Model("gpt-6-sol")),
        answer_key(row("t").key, replace(sentiment, prompt=sentiment.prompt + "!"), Model("gpt-6-luna")),
        answer_key(row("t", 5).key, sentiment, Model("gpt-6-luna")),
    ]
    assert len({key, *others}) == 4


def test_every_attempt_is_a_row_that_says_what_it_cost(engine, stand_in, row, warehouse):
    stand_in.faults = [service.status(500), service.reset]

    engine([row(text) for text in TEXTS], model=PRICED)

    calls = warehouse.rows("select * from ops.llm_calls order by attempt")
    assert [(call["attempt"], call["status"]) for call in calls] == [(1, "failed"), (2, "lost"), (3, "settled")]
    assert calls[0]["cost_usd"] == 0
    assert calls[1]["cost_usd"] == calls[1]["reserved_usd"] > 0
    assert calls[2]["cost_usd"] == pytest.approx(110 / 1_000_000)
    assert (calls[2]["input_tokens"], calls[2]["output_tokens"], calls[2]["row_count"]) == (100, 10, 10)


def test_what_was_spent_is_counted_by_run_and_by_day(engine, row, warehouse, run):
    engine([row(text) for text in TEXTS], model=PRICED)

    here = Ledger(warehouse, run, "online").spent()
    elsewhere = Ledger(warehouse, replace(run, run_id="another"), "online").spent()

    assert here.run_usd == here.day_usd == elsewhere.day_usd == pytest.approx(110 / 1_000_000)
    assert elsewhere.run_usd == 0


def test_a_call_that_was_cut_off_counts_as_held(warehouse, run):
    ledger = Ledger(warehouse, run, "online")
    ledger.intend("c1", PRICED, {"intent": "v"}, 3, 1, 0.25)
    ledger.flush()

    assert ledger.spent().run_usd == 0.25

    ledger.close()

    assert warehouse.rows("select status, cost_usd from ops.llm_calls") == [{"status": "lost", "cost_usd": 0.25}]


def test_the_budget_stops_before_the_limit_and_keeps_what_is_paid(engine, stand_in, row, warehouse):
    rows = [row(f"{text} {'and so on ' * 40}") for text in TEXTS]
    stand_in.tokens = (2_000, 500)

    done = engine(rows, model=PRICED, budget_usd=0.02, most_rows=1, concurrency=3)

    paid = warehouse.rows("select sum(cost_usd) as usd, count(*) as n from ops.llm_calls")[0]
    assert done.results.stopped == "budget"
    assert 0 < paid["n"] < 10
    assert paid["usd"] <= 0.02
    assert warehouse.rows("select count(*) as n from ops.llm_answers") == [{"n": paid["n"] * 2}]


def test_an_interrupt_keeps_what_is_paid(engine, stand_in, row, warehouse):
    seen = []

    def interrupted(body, asked):
        seen.append(asked)
        if len(seen) == 4:
            signal.raise_signal(signal.SIGINT)

    stand_in.poison = {"page": interrupted}

    with pytest.raises(KeyboardInterrupt):
        engine([row(text) for text in TEXTS], most_rows=1, concurrency=1)

    assert warehouse.rows("select count(*) as n from ops.llm_answers")[0]["n"] >= 6
    assert warehouse.rows("select count(*) as n from ops.llm_calls where status = 'intent'") == [{"n": 0}]


def test_an_answer_that_is_kept_again_gives_way_whatever_was_known_of_it(warehouse, run):
    ledger = Ledger(warehouse, run, "online")
    for label in ("praise", "anger", "question"):
        ledger.look_ahead(["k", label])
        ledger.keep([Paid("k", "intent", {"label": label}, "m")], "intent x1", "c")
        ledger.keep([Paid(label, "intent", {"label": label}, "m")], "intent x1", "c")
        ledger.flush()

    assert ledger.known(["k"])["k"].answer == {"label": "question"}
    kept = warehouse.rows("select answer_key from ops.llm_answers order by answer_key")
    assert [row["answer_key"] for row in kept] == ["anger", "k", "praise", "question"]


def test_a_flush_of_which_nobody_knows_whether_it_arrived_doubles_nothing(warehouse, run):
    class Unsure(DuckDBWarehouse):
        is_lost = True

        def transact(self, steps, incoming=None):
            super().transact(steps, incoming)
            if self.is_lost:
                self.is_lost = False
                raise WarehouseError("the connection was lost after the commit")

    ledger = Ledger(Unsure(warehouse.path, warehouse.ddl), run, "online")
    ledger.look_ahead(["k"])
    ledger.keep([Paid("k", "intent", {"label": "praise"}, "m")], "intent x1", "c")
    with pytest.raises(WarehouseError):
        ledger.flush()

    ledger.close()

    assert warehouse.rows("select answer_key from ops.llm_answers") == [{"answer_key": "k"}]
