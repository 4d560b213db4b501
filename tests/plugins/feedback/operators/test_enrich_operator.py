"""The asking task, from published items to staged answers, over real HTTP and a real warehouse."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from feedback.errors import ConnectionMissing, CredentialRefused, PriceUnknown, SettingError
from feedback.llm.asking import Asking
from feedback.model import content_hash
from feedback.operators.enrich_operator import EnrichOperator
from feedback.warehouse.merge import append, upsert
from include.enrichments import ENRICHMENTS
from include.llm import PRICES
from tests.plugins.feedback.llm import stand_in as service

NOW = datetime(2026, 11, 2, 12)
ROOT = Path(__file__).parents[4]


@pytest.fixture
def connection(monkeypatch):
    """Set the connection openai_default."""

    def write(**fields):
        monkeypatch.setenv("AIRFLOW_CONN_OPENAI_DEFAULT", json.dumps({"conn_type": "openai", **fields}))

    return write


@pytest.fixture
def local(connection, stand_in):
    connection(host=stand_in.base_url, password="a-secret-key")
    return stand_in


@pytest.fixture
def publish(warehouse):
    """Publish items with these texts."""

    def write(*texts, **more):
        start = warehouse.rows("select count(*) as n from feedback.items")[0]["n"]
        shared = {
            "source": "itunes",
            "source_key": "1:1",
            "channel_or_app": "1",
            "rating": 2,
            "visibility": "public",
            "posted_at": NOW - timedelta(days=9),
            "last_activity_at": NOW - timedelta(days=9),
            "message_count": 1,
            "author_count": 1,
            "has_reply_by_team": False,
            "is_askable": True,
            "first_run_id": "r",
            "run_id": "r",
            "updated_at": NOW,
        }
        append(
            warehouse,
            "feedback.items",
            [
                shared | {"item_id": f"itunes:1:{n}", "text": text, "content_hash": content_hash(text, 2)} | more
                for n, text in enumerate(texts, start)
            ],
        )

    return write


@pytest.fixture
def ask(warehouse, run):
    """Run the task; return its counts."""

    def work(at=warehouse, as_run=run, **asking):
        operator = EnrichOperator(
            task_id="ask",
            warehouse=at,
            enrichments=ENRICHMENTS,
            asking=Asking(prices=(PRICES,), as_of=NOW, **asking),
        )
        return operator.work(as_run, {}).as_dict()

    return work


def test_stages_one_answer_a_question_with_its_lineage(ask, publish, local, warehouse):
    publish("Wickerbee is slow. It takes minutes.", "The export fails. Always.")

    counts = ask(model="local-model")

    assert {name: counts[name] for name in ("owed", "asked", "staged", "calls", "cost_usd")} == {
        "owed": 8,
        "asked": 8,
        "staged": 8,
        "calls": 1,
        "cost_usd": 0,
    }
    [row] = warehouse.rows("select * from staging.sentiment where item_id = 'itunes:1:0'")
    assert (row["label"], row["quote"], row["is_grounded"], row["has_personal_data"]) == (
        "negative",
        "Wickerbee is slow. It takes minutes.",
        True,
        False,
    )
    assert (row["model"], row["decided_by"], row["run_id"], row["shard"]) == ("local-model", "llm", "run_1", "all")
    assert row["content_hash"] == content_hash("Wickerbee is slow. It takes minutes.", 2)
    assert row["call_id"] == warehouse.rows("select call_id from ops.llm_calls")[0]["call_id"]
    assert warehouse.rows("select distinct outcome, rows_out from staging.asked") == [
        {"outcome": "staged", "rows_out": 1}
    ]


def test_with_nothing_owed_nothing_is_asked_or_staged(ask, publish, local, warehouse):
    assert ask(model="m")["owed"] == 0
    assert local.requests == []


def test_the_same_text_is_asked_once_and_answers_every_item_that_has_it(ask, publish, local, warehouse):
    publish("It is slow. Really.", "It is slow. Really.", "It is slow. Really.")

    counts = ask(model="m")

    assert [len(pack) for pack in local.packs] == [1]
    assert counts["staged"] == 12


def test_a_second_attempt_pays_nothing_and_replaces_what_the_first_staged(ask, publish, local, warehouse):
    publish("It is slow. Really.", "The export fails. Always.")
    ask(model="m")

    counts = ask(model="m")

    assert (counts["calls"], counts["from_ledger"], counts["staged"]) == (0, 8, 8)
    assert warehouse.rows("select count(*) as n, count(distinct item_id) as items from staging.intent") == [
        {"n": 2, "items": 2}
    ]


def test_what_a_person_wants_asked_again_is_asked_whatever_the_ledger_knows(ask, publish, local, warehouse):
    publish("It is slow. Really.", "The export fails. Always.")
    ask(model="m")
    rows = warehouse.rows("select item_id, enrichment, content_hash, prompt_version from staging.asked")
    upsert(
        warehouse,
        "ops.answers",
        [{**row, "status": "quarantined", "rows_out": 0, "run_id": "r"} for row in rows],
        ("item_id", "enrichment"),
    )
    area = next(row for row in rows if row["enrichment"] == "area")
    wanted = {"subject": "area", "row_key": "k", "rule": "r", "severity": "critical", "reason": "x"}
    wanted |= {name: area[name] for name in ("item_id", "content_hash", "prompt_version")}
    append(
        warehouse,
        "ops.quarantine",
        [wanted | {"status": "ask_again", "first_run_id": "r", "last_run_id": "r"}],
    )
    where = "item_id = ? and enrichment = 'intent'"
    reasked = f"update ops.answers set status = 'pending', reason = 're-asked' where {where}"
    warehouse.transact([(reasked, (area["item_id"],))])

    counts = ask(model="m")

    assert (counts["owed"], counts["from_ledger"], counts["staged"]) == (2, 0, 2)
    assert len(local.requests) == 2


def test_a_number_that_only_its_surroundings_make_harmless_is_not_held_against_a_quote(ask, publish, local, warehouse):
    publish("order 212-555-0142. Where is it")
    local.faults = [service.answers(lambda said: said["intent"].update(quote="212-555-0142"))]

    ask(model="m")

    assert warehouse.rows("select quote, has_personal_data from staging.intent") == [
        {"quote": "212-555-0142", "has_personal_data": False}
    ]


def test_an_answer_that_stays_invalid_is_set_aside_with_its_item(ask, publish, local, warehouse):
    publish("It is slow. Really.", "The export fails. Always.")
    local.poison = {"export": service.answers(lambda answer: answer["area"]["areas"][0].update(label="weather"))}

    counts = ask(model="m")

    assert (counts["staged"], counts["quarantined"], counts["pending"]) == (7, 1, 0)
    [reject] = warehouse.rows("select subject, row_key, item_id, rule, reason from staging.rejects")
    assert reject == {
        "subject": "area",
        "row_key": "itunes:1:1",
        "item_id": "itunes:1:1",
        "rule": "answer_valid",
        "reason": "label_unknown",
    }
    assert warehouse.rows("select item_id from staging.asked where outcome = 'quarantined'") == [
        {"item_id": "itunes:1:1"}
    ]


def test_without_a_connection_the_offline_model_answers_and_says_so(ask, publish, warehouse):
    publish("I love it, this is a wonderful app!")

    counts = ask()

    assert counts["notes"] == ["answered by the offline model, not a language model"]
    assert warehouse.rows("select label, model from staging.sentiment") == [{"label": "positive", "model": "offline"}]
    assert warehouse.rows("select mode, cost_usd from ops.llm_calls") == [{"mode": "offline", "cost_usd": 0.0}]


def test_the_offline_model_is_reached_past_a_proxy(ask, publish, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    publish("It is slow. Really.")

    assert ask()["staged"] == 4


@pytest.mark.parametrize("fields", [None, {}])
def test_production_without_a_connection_fails_unless_the_offline_model_is_wanted(
    ask, publish, warehouse, connection, fields
):
    if fields is not None:
        connection(**fields)
    warehouse.engine = "snowflake"
    publish("It is slow. Really.")

    with pytest.raises(ConnectionMissing, match=r"openai_default.*FEEDBACK_LLM_MODE=offline"):
        ask()

    assert ask(mode="offline")["staged"] == 4


def test_mode_flex_asks_for_the_service_tier_where_the_model_is_sold_so(ask, publish, local):
    publish("It is slow. Really.")

    ask(model="gpt-6-luna", mode="flex")

    assert local.requests[0]["service_tier"] == "flex"
    with pytest.raises(SettingError, match=r"FEEDBACK_LLM_MODE=flex.*gpt-6-sol.*FEEDBACK_LLM_PRICES"):
        ask(model="gpt-6-sol", mode="flex")


def test_a_service_without_room_for_flex_is_asked_again_and_paid_nothing_for_its_refusals(
    ask, publish, local, warehouse
):
    publish("It is slow. Really.")
    local.faults = [service.status(429, "resource_unavailable", retry_after_ms="10")] * 3

    counts = ask(model="gpt-6-luna", mode="flex")

    assert (counts["staged"], counts["calls"]) == (4, 4)
    paid = warehouse.rows("select status, count(*) as n, sum(cost_usd) as usd from ops.llm_calls group by 1 order by 1")
    assert paid == [{"status": "failed", "n": 3, "usd": 0.0}, {"status": "settled", "n": 1, "usd": 0.0}]


def test_customers_words_and_the_key_travel_in_the_clear_only_where_allowed_by_name(ask, publish, connection):
    publish("It is slow. Really.")
    connection(host="http://models.invalid/v1", password="a-secret-key")

    with pytest.raises(SettingError, match=r"FEEDBACK_ALLOW_HTTP=models.invalid"):
        ask(model="m")


def test_a_model_without_a_price_is_refused_before_anything_is_asked(ask, publish, connection, warehouse):
    publish("It is slow. Really.")
    connection(host="https://models.invalid/v1", password="a-secret-key")

    with pytest.raises(PriceUnknown, match=r"gpt-99.*FEEDBACK_LLM_PRICES"):
        ask(model="gpt-99")

    assert warehouse.rows("select count(*) as n from ops.llm_calls") == [{"n": 0}]


def test_a_key_is_needed_beyond_this_machine(ask, connection):
    connection(host="https://models.invalid/v1")

    with pytest.raises(ConnectionMissing, match="openai_default has no password"):
        ask(model="m")


def test_neither_texts_nor_the_key_reach_logs_or_errors(ask, publish, local, caplog):
    caplog.set_level(logging.DEBUG)
    publish("Xylophone is slow. Really.")
    local.faults = [service.status(401, "a-secret-key Xylophone")]

    with pytest.raises(CredentialRefused) as refused:
        ask(model="m")

    told = str(refused.value) + "".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("feedback", "airflow"))
    )
    assert "Xylophone" not in told
    assert "a-secret-key" not in told


def test_after_the_key_is_corrected_a_real_model_replaces_offline_answers(ask, publish, local, warehouse, monkeypatch):
    publish("It is slow. Really.")
    monkeypatch.delenv("AIRFLOW_CONN_OPENAI_DEFAULT")
    ask()
    noted = warehouse.rows(
        "select enrichment, item_id, content_hash, prompt_version, model, rows_out, run_id from staging.asked"
    )
    upsert(warehouse, "ops.answers", [row | {"status": "answered"} for row in noted], ["item_id", "enrichment"])

    assert ask()["owed"] == 0

    monkeypatch.setenv(
        "AIRFLOW_CONN_OPENAI_DEFAULT",
        json.dumps({"conn_type": "openai", "host": local.base_url, "password": "a-secret-key"}),
    )
    counts = ask(model="m")

    assert (counts["owed"], counts["from_ledger"], counts["staged"]) == (4, 0, 4)


def test_beyond_the_budget_questions_wait_and_the_note_says_what_they_would_cost(
    ask, publish, monkeypatch, connection, warehouse
):
    publish("It is slow. Really.")
    connection(password="a-secret-key")

    counts = ask(budget_usd=0.0)

    assert (counts["pending"], counts["calls"]) == (4, 0)
    assert "4 questions are pending (budget)" in counts["notes"][1]
    assert counts["pending_usd"] > 0
    assert warehouse.rows("select distinct outcome, reason from staging.asked") == [
        {"outcome": "pending", "reason": "budget"}
    ]


def test_with_nothing_owed_no_heavy_library_is_imported(warehouse):
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "plugins")!r}]
from pathlib import Path
from feedback.llm.asking import Asking
from feedback.model import Run
from feedback.operators.enrich_operator import EnrichOperator
from feedback.warehouse.duckdb import DuckDBWarehouse
from include.enrichments import ENRICHMENTS
warehouse = DuckDBWarehouse(Path({str(warehouse.path)!r}), Path({str(warehouse.ddl)!r}))
operator = EnrichOperator(task_id="ask", warehouse=warehouse, enrichments=ENRICHMENTS, asking=Asking(prices=()))
assert operator.work(Run("r", "d", "t"), {{}}).as_dict()["owed"] == 0
heavy = {{"openai", "sklearn", "aiohttp", "vaderSentiment", "phonenumbers", "pandas"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_a_task_that_is_killed_while_it_asks_keeps_what_is_paid_and_the_next_asks_the_rest(
    ask, publish, local, warehouse
):
    publish("One is slow.", "Two is slow.", "Three is slow.")
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)

    def kill(body, rows):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.5)

    local.faults = [lambda body, rows: None, lambda body, rows: None, kill]
    try:
        with pytest.raises(KeyboardInterrupt):
            ask(model="local-model", pack=1, concurrency=1)
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert dict(
        tuple(row.values()) for row in warehouse.rows("select status, count(*) as n from ops.llm_calls group by status")
    ) == {"settled": 2, "lost": 1}

    assert ask(model="local-model", pack=1)["calls"] == 1


GOLDEN = {"enrichment": "sentiment", "answer": '"negative"', "author": "ada", "added_at": NOW}


def purposes(warehouse):
    rows = warehouse.rows("select purpose, count(*) as n from ops.llm_calls group by purpose")
    return {row["purpose"]: row["n"] for row in rows}


def test_golden_items_are_asked_beside_the_batch_once_and_never_staged(ask, publish, local, warehouse):
    publish("It was slow. Really.", "It is fine. Mostly.")
    ask(model="m")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])
    answered = "insert into ops.answers select item_id, enrichment, 'answered', content_hash, prompt_version, 'm', 1,"
    warehouse.transact([f"{answered} null, run_id, asked_at from staging.asked", "delete from ops.llm_answers"])
    publish("The export fails. Always.")

    counts = ask(model="m")

    assert (counts["owed"], counts["calls"], counts["golden_calls"]) == (4, 1, 1)
    assert purposes(warehouse)["golden"] == 1
    [row] = warehouse.rows("select * from ops.golden_answers")
    assert (row["item_id"], row["enrichment"], row["model"]) == ("itunes:1:0", "sentiment", "m")
    assert json.loads(row["answer"]) == ["negative"]
    assert warehouse.rows("select distinct item_id from staging.asked") == [{"item_id": "itunes:1:2"}]
    assert ask(model="m")["golden_calls"] == 0
    assert ask(model="another")["golden_calls"] == 1


def test_a_golden_item_of_the_batch_itself_is_not_paid_twice(ask, publish, local, warehouse):
    publish("It was slow. Really.")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])

    counts = ask(model="m")

    assert (counts["golden_calls"], counts["from_ledger"], counts["staged"]) == (1, 1, 4)
    assert warehouse.rows("select count(*) as n from ops.golden_answers") == [{"n": 1}]


def test_golden_items_are_asked_first_for_the_budget_may_end(ask, publish, local, warehouse):
    publish("It was slow. Really.", "The export fails. Always.")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])
    ask(model="m")

    calls = warehouse.rows("select purpose from ops.llm_calls order by started_at")
    assert [call["purpose"] for call in calls][:2] == ["golden", "enrich"]


def test_golden_items_leave_no_journal_behind_whether_there_are_any_or_not(ask, publish, local, warehouse, tmp_path):
    for texts in (("It was slow. Really.",), ("The export fails. Always.",)):
        publish(*texts)
        ask(model="m", journal=tmp_path / "journal")
        assert list((tmp_path / "journal").iterdir()) == []
        append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])


def test_golden_answers_that_could_not_be_kept_are_counted_as_they_were_paid(ask, publish, local, warehouse):
    publish("It was slow. Really.", "The export fails. Always.")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])
    warehouse.transact(["alter table ops.golden_answers drop column answered_at"])

    counts = ask(model="m")

    (paid,) = warehouse.rows("select sum(input_tokens) as tokens, sum(cost_usd) as usd from ops.llm_calls")
    assert (counts["golden_calls"], counts["input_tokens"]) == (1, paid["tokens"])
    assert counts["cost_usd"] == pytest.approx(paid["usd"], abs=1e-6)
    assert counts["staged"] == 8


def test_golden_answers_that_decide_nothing_are_not_asked(ask, publish, local, warehouse):
    publish("It was slow. Really.")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0", "author": "sample"}])

    assert ask(model="m", unheard=("sample",))["golden_calls"] == 0


def test_where_nothing_is_owed_no_golden_item_is_asked(ask, publish, local, warehouse):
    publish("It was slow. Really.", is_askable=True, source="slack", last_activity_at=NOW)
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])

    assert ask(model="m")["owed"] == 0
    assert local.requests == []


def test_a_golden_item_whose_words_moved_is_asked_again(ask, publish, local, warehouse):
    publish("It was slow. Really.")
    append(warehouse, "ops.golden", [GOLDEN | {"item_id": "itunes:1:0"}])
    ask(model="m")
    warehouse.transact([("update feedback.items set text = 'No.', content_hash = ?", (content_hash("No.", 2),))])

    ask(model="m")

    [row] = warehouse.rows("select content_hash from ops.golden_answers")
    assert row["content_hash"] == content_hash("No.", 2)
