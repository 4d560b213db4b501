"""Asking through a Batch API, against a real HTTP service: half the price, nothing twice, nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.errors import CredentialRefused, LimitReached, ServiceUnreachable, SettingError
from feedback.llm.asking import Asking
from feedback.llm.batch import GIVEN_UP, OVERDUE, Batches
from feedback.llm.batch_session import BatchSession
from feedback.llm.batch_store import BatchStore
from feedback.llm.cascade import Models
from feedback.llm.pack import Row
from feedback.llm.prices import Model
from feedback.llm.service import Endpoint
from feedback.model import Run, utc_now
from include.llm import PRICES
from tests.plugins.feedback.llm import stand_in as faults
from tests.plugins.feedback.llm.batch_stand_in import BatchStandIn
from tests.plugins.feedback.llm.conftest import BOTH, INTENT, SENTIMENT

DEAR = Model("dear", input=1.0, cached=1.0, cache_write=1.0, output=1.0, max_output=2_000, window=100_000, batch=0.5)
TEXTS = [f"The page number {n} is slow. It takes minutes." for n in range(6)]


@pytest.fixture
def service(http_server):
    return BatchStandIn(http_server)


@pytest.fixture
def session(warehouse, service):
    """Return a function that opens a session, as a task does when it starts or goes on."""

    def open_session(
        run="run_1", *, model=DEAR, large=None, enrichments=(SENTIMENT, INTENT), url=None, told=None, **asking
    ):
        how = Asking(
            prices=(PRICES,), **{"mode": "batch", "pack": 2, "budget_usd": 100, "budget_usd_day": 100} | asking
        )
        return BatchSession(
            BatchStore(warehouse, Run(run, "a_dag", "ask")),
            enrichments,
            how,
            Endpoint("openai_default", url or service.base_url, "key"),
            Models(model, large),
            lambda line, *values, **more: None if told is None else told.append(line % values),
        )

    return open_session


@pytest.fixture
def land(service, session):
    """Send rows, have the service finish, land; return what became of each question."""

    def work(rows, run="run_1", finish=None, **how):
        assert session(run, **how).advance(rows)
        service.finish(**(finish or {}))
        landing = session(run, **how)
        assert landing.advance(rows) is None
        return landing.results(rows)

    return work


def calls(warehouse):
    return warehouse.rows("select mode, status, count(*) as n, sum(cost_usd) as usd from ops.llm_calls group by 1, 2")


def test_every_row_is_answered_at_the_price_of_the_table_and_no_word_stays_at_the_service(
    land, publish, service, warehouse
):
    results = land(publish(TEXTS))

    assert len(results.answers) == 12
    assert {decided.decided_by for decided in results.answers.values()} == {"llm"}
    assert (len(service.batches), service.online, sorted(service.texts)) == (1, [], sorted(TEXTS))
    [paid] = calls(warehouse)
    assert (paid["mode"], paid["status"], paid["n"]) == ("batch", "settled", 3)
    assert paid["usd"] == pytest.approx(3 * 110 / 1e6 / 2)
    assert warehouse.rows("select distinct batch_id from ops.llm_calls") == [{"batch_id": "batch-1"}]
    assert service.files == {}


def test_what_it_can_cost_at_most_is_held_before_it_is_sent(session, publish, service, warehouse):
    seen = []
    service.before = lambda request: seen.append(calls(warehouse))

    session().advance(publish(TEXTS))

    [held] = seen[0]
    assert (held["status"], held["n"]) == ("intent", 3)
    assert warehouse.rows("select status, reserved_usd from ops.llm_batches") == [
        {"status": "submitted", "reserved_usd": pytest.approx(held["usd"])}
    ]


def test_a_batch_that_is_out_is_waited_for_by_whoever_comes_and_never_sent_again(session, publish, service):
    rows = publish(TEXTS)
    out = session().advance(rows)

    assert session().advance(rows).batch_ids == out.batch_ids
    assert session("run_2").advance(rows).batch_ids == out.batch_ids
    assert len(service.batches) == 1


def test_a_later_run_lands_what_an_earlier_one_left_and_asks_only_the_rest(session, publish, service):
    session().advance(publish(TEXTS[:4]))
    service.finish()
    rows = [Row(text, None, BOTH) for text in TEXTS[:4]] + publish(TEXTS[4:])

    assert session("run_2").advance(rows).batch_ids == ("batch-2",)
    service.finish()
    landing = session("run_2")
    assert landing.advance(rows) is None

    results = landing.results(rows)
    assert sorted(service.texts) == sorted(TEXTS)
    assert sorted(decided.decided_by for decided in results.answers.values()) == ["cache"] * 8 + ["llm"] * 4


def test_what_a_batch_did_not_come_to_waits_and_is_asked_by_the_next_run_alone(land, publish, service, warehouse):
    rows = publish(TEXTS)

    results = land(rows, finish={"status": "expired", "done": 2})

    assert len(results.answers) == 8
    assert set(results.waiting.values()) == {"batch_expired"}
    assert {row["status"]: row["usd"] for row in calls(warehouse)}["failed"] == 0
    assert warehouse.rows("select status from ops.llm_batches") == [{"status": "expired"}]
    assert len(land(rows, "run_2").answers) == 12
    assert sorted(service.texts) == sorted(TEXTS)
    assert service.online == []


def test_a_line_that_is_missing_or_no_line_costs_its_rows_only_a_wait(land, publish):
    def cut(lines):
        return [*lines[1:], {"id": "x", "custom_id": "a stranger", "response": lines[0]["response"]}, {"id": "y"}, []]

    results = land(publish(TEXTS), finish={"change": cut})

    assert (len(results.answers), set(results.waiting.values())) == (8, {"missing"})


@pytest.mark.parametrize(
    "fault",
    [
        faults.answers(lambda answer: answer["intent"].update(label="rant")),
        faults.refusal,
        faults.content(lambda text: "Sorry."),
        faults.status(400, "content_filter"),
    ],
)
def test_a_row_that_was_answered_badly_is_asked_again_online_and_alone(land, publish, service, fault):
    rows = publish(TEXTS)
    service.faults = [fault]

    results = land(rows)

    assert len(results.answers) == 12
    assert sorted(len(pack) for pack in service.online) == [1, 1]


def test_a_row_that_stays_bad_is_set_aside(land, publish, service):
    rows = publish(TEXTS)
    service.poison = {"number 3 ": faults.answers(lambda answer: answer["intent"].update(label="rant"))}

    results = land(rows)

    assert (len(results.answers), results.rejected) == (11, {(rows[3].key, "intent"): "label_unknown"})


def test_a_service_that_failed_inside_a_batch_is_not_asked_the_same_online(land, publish, service):
    service.faults = [faults.status(500)]

    results = land(publish(TEXTS))

    assert (len(results.answers), set(results.waiting.values())) == (8, {"fault"})
    assert service.online == []


def test_a_line_separator_in_a_customers_words_ends_no_line(land, publish):
    rows = publish(["It is\u2028slow\u0085 today. Really."])

    results = land(rows)

    assert results.answers[rows[0].key, "intent"].answer["quote"] == "It is"


def test_words_that_were_erased_while_a_batch_was_out_are_nowhere(session, publish, service, warehouse):
    rows = publish(TEXTS[:2])
    session().advance(rows)
    warehouse.transact([("delete from feedback.items where text = ?", (TEXTS[0],))])
    service.finish()

    landing = session()
    landing.advance(rows[1:])

    assert len(landing.results(rows[1:]).answers) == 2
    assert warehouse.rows("select count(*) as n from ops.llm_answers") == [{"n": 2}]
    assert TEXTS[0].split(".")[0] not in json.dumps(
        [warehouse.rows(f"select * from ops.{table}") for table in ("llm_answers", "llm_batches", "llm_batch_rows")],
        default=str,
    )


def test_an_answer_to_a_prompt_that_moved_meanwhile_is_no_answer_to_the_new_one(session, publish, service, warehouse):
    rows = publish(TEXTS[:2])
    session().advance(rows)
    service.finish()
    moved = replace(INTENT, prompt=INTENT.prompt + "Think.\n")

    landing = session(enrichments=(SENTIMENT, moved))
    landing.advance(rows)

    assert set(landing.results(rows).waiting.values()) == {"prompt_moved"}
    assert warehouse.rows("select count(*) as n from ops.llm_answers") == [{"n": 0}]
    assert {row["status"] for row in calls(warehouse)} == {"settled"}


def test_the_budget_admits_only_what_it_could_pay_at_the_most_and_the_rest_waits(land, session, publish, warehouse):
    rows = publish(TEXTS)
    session("free", budget_usd_day=1_000).advance(rows)
    [one] = warehouse.rows("select distinct round(reserved_usd, 9) as usd from ops.llm_calls")[:1]
    for table in ("llm_batches", "llm_batch_rows", "llm_calls"):
        warehouse.transact([f"delete from ops.{table}"])

    results = land(rows, budget_usd=one["usd"] * 1.5)

    assert (len(results.answers), set(results.waiting.values())) == (4, {"budget"})


def test_where_the_budget_admits_nothing_nothing_is_sent(session, publish, service):
    rows = publish(TEXTS)
    asking = session(budget_usd=0.0)

    assert asking.advance(rows) is None
    assert set(asking.results(rows).waiting.values()) == {"budget"}
    assert service.batches == {}


def test_a_queue_too_small_for_a_batch_makes_the_next_ones_smaller(session, publish, service):
    rows = publish(TEXTS)
    session().advance(rows)
    service.fail("token_limit_exceeded")
    landing = session()
    assert landing.advance(rows) is None
    assert set(landing.results(rows).waiting.values()) == {"token_limit_exceeded"}
    landing.close()

    session("run_2").advance(rows)

    assert len(service.batches) > 2


def test_items_that_came_while_a_batch_was_out_wait_for_the_next_run(session, publish, service):
    rows = publish(TEXTS[:2])
    session().advance(rows)
    service.finish()
    rows += publish(TEXTS[2:])
    landing = session()

    assert landing.advance(rows) is None

    results = landing.results(rows)
    assert (len(results.answers), set(results.waiting.values())) == (4, {"next_batch"})


def test_after_it_is_staged_the_same_run_may_send_again(session, land, publish, service):
    rows = publish(TEXTS)
    land(rows[:2])
    session().close()

    assert session().advance(rows).batch_ids == ("batch-2",)


def test_what_a_person_wants_asked_again_is_asked_once_whatever_the_ledger_knows(land, session, publish, service):
    land(publish(TEXTS[:1]))
    session().close()
    rows = [Row(TEXTS[0], None, BOTH, afresh=("intent",))]

    results = land(rows, "run_2")

    assert {name: results.answers[rows[0].key, name].decided_by for name in BOTH} == {
        "sentiment": "cache",
        "intent": "llm",
    }
    assert (service.texts, service.online) == ([TEXTS[0]] * 2, [])


def test_what_fits_no_model_is_asked_online_in_parts_beside_the_batch(land, publish, service):
    rows = publish([TEXTS[0], "It is slow. " * 4_000, "".join(f"Line {n} is slow. " for n in range(9_000))])

    results = land(rows, model=replace(DEAR, window=8_000), large=replace(DEAR, name="large", window=40_000))

    assert results.open_rows(rows) == []
    assert {batch["input_file_id"] for batch in service.batches.values()} == {"file-1", "file-2"}
    assert len(service.online) > 1


def test_another_mode_cancels_what_is_out_lands_what_is_done_and_asks_the_rest_online(session, publish, service):
    rows = publish(TEXTS)
    session().advance(rows)

    assert session("run_2", mode="online").advance(rows).batch_ids == ("batch-1",)
    assert service.batches["batch-1"]["status"] == "cancelling"
    service.finish("cancelled", done=1, code="batch_cancelled")
    landing = session("run_2", mode="online")
    assert landing.advance(rows) is None

    assert len(landing.results(rows).answers) == 12
    assert sorted(len(pack) for pack in service.online) == [2, 2]


# A service that says no, or nothing


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (faults.status(401), CredentialRefused, "openai_default.*correct the connection's password"),
        (faults.status(404), SettingError, "FEEDBACK_LLM_MODE to online or flex"),
        (faults.status(400, "invalid_file"), SettingError, "invalid_file"),
        (faults.status(429), LimitReached, "takes no more batches for now"),
        (faults.status(429, "insufficient_quota"), LimitReached, "no more credit"),
        (faults.html, SettingError, "answers as no Batch API does"),
    ],
)
def test_a_batch_that_is_refused_is_owed_as_before_and_one_line_says_why(
    session, publish, service, warehouse, fault, error, says
):
    rows = publish(TEXTS)
    service.refusals = [fault({}, [])]

    with pytest.raises(error, match=says) as refused:
        session().advance(rows)

    assert "\n" not in str(refused.value)
    assert {(row["status"], row["usd"]) for row in calls(warehouse)} == {("failed", 0)}
    assert service.files == {}
    assert session().advance(rows).batch_ids == ("batch-1",)


def test_a_batch_whose_receipt_was_lost_is_found_by_its_intent_and_not_sent_again(session, publish, service):
    rows = publish(TEXTS)
    service.refusals = [faults.reset({}, [])]
    took = service._submitted

    def take(request):
        if request.method == "POST" and request.path == "/v1/batches" and service.refusals:
            took(json.loads(request.get_data()))

    service.before = take
    with pytest.raises(ServiceUnreachable):
        session().advance(rows)

    assert session("run_2").advance(rows).batch_ids == ("batch-1",)
    assert len(service.batches) == 1


def test_a_batch_that_never_reached_the_service_is_dropped_and_its_file_deleted(
    session, publish, service, warehouse, monkeypatch
):
    monkeypatch.setattr(Batches.__init__, "__defaults__", (timedelta(0),))
    rows = publish(TEXTS)
    service.refusals = [faults.status(503)({}, [])]
    with pytest.raises(ServiceUnreachable):
        session().advance(rows)

    assert session().advance(rows).batch_ids == ("batch-1",)
    assert len(service.files) == 1
    assert [row["status"] for row in warehouse.rows("select status from ops.llm_batches order by created_at")] == [
        "dropped",
        "submitted",
    ]


def grown_old(warehouse, age):
    warehouse.transact([("update ops.llm_batches set created_at = ?", (utc_now() - age,))])


def test_a_batch_that_is_overdue_is_cancelled_and_one_that_stays_silent_is_given_up(
    session, publish, service, warehouse
):
    rows = publish(TEXTS)
    session().advance(rows)
    grown_old(warehouse, OVERDUE + timedelta(minutes=1))
    assert session().advance(rows)
    assert service.batches["batch-1"]["status"] == "cancelling"

    grown_old(warehouse, GIVEN_UP + timedelta(minutes=1))
    told = []
    given_up = session(told=told)
    assert given_up.advance(rows) is None

    assert set(given_up.results(rows).waiting.values()) == {"lost"}
    assert "counts at its reservation" in told[0]
    [lost] = calls(warehouse)
    assert (lost["status"], lost["usd"] > 0) == ("lost", True)


def test_a_batch_or_a_file_that_the_service_knows_no_more_counts_at_its_reservation(
    session, publish, service, warehouse
):
    rows = publish(TEXTS)
    session().advance(rows)
    service.finish()
    service.files.clear()
    session().advance(rows)
    service.batches.clear()

    session("run_2").advance(publish(["Another one is slow."]))
    service.batches.clear()
    session("run_2").advance([])

    assert {(row["status"], row["n"]) for row in calls(warehouse)} == {("lost", 4)}


def test_questions_out_at_another_service_wait_for_it_and_are_owed_when_it_is_too_late(
    session, publish, service, warehouse
):
    rows = publish(TEXTS[:2])
    session(url=service.base_url.replace("127.0.0.1", "localhost")).advance(rows)
    rows += publish(TEXTS[2:])

    moved = session("run_2")
    assert moved.advance(rows).batch_ids == ("batch-2",)
    service.finish()
    assert moved.advance(rows) is None
    results = moved.results(rows)
    assert (len(results.answers), set(results.waiting.values())) == (8, {"batch"})
    moved.close()

    grown_old(warehouse, GIVEN_UP + timedelta(minutes=1))
    assert session("run_3").advance(rows).batch_ids == ("batch-3",)
