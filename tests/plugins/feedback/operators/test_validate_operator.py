"""The gate on real staged rows: who is set aside, when a batch is stopped, and what is told about it."""

import json
import sys

import pytest

from feedback.errors import GateBlocked
from feedback.model import utc_now
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.answers import answer_rules
from feedback.validation.cases import decide
from feedback.validation.rule import Rule
from feedback.validation.subject import answer_subject
from feedback.warehouse.merge import append, stage

LABELS = ("positive", "neutral", "negative", "mixed")
RULES = answer_rules(labels=LABELS, ranges={"score": (-1, 1), "confidence": (0, 1)})
HOSTILE = "<script>alert('x')</script>'; drop table ops.cases; -- jane@example.com"


def operator(warehouse, *extra, **options):
    subject = answer_subject("sentiment", key=("item_id",), rules=(*RULES, *extra))
    return ValidateOperator(task_id="validate", subject=subject, warehouse=warehouse, **options)


def answer(number, **changed):
    return {
        "item_id": f"slack:T:C:{number}",
        "label": "positive",
        "score": 0.5,
        "quote": HOSTILE,
        "confidence": 0.9,
        "content_hash": "h",
        "prompt_version": "p",
        "model": "offline",
        "decided_by": "llm",
        "is_stale": False,
        "engine_version": "1",
        "answered_at": utc_now(),
        "is_grounded": True,
        "has_personal_data": False,
    } | changed


def propose(warehouse, run, answers, *, asked=None):
    stage(warehouse, "sentiment", answers, run)
    pairs = {row["item_id"]: "staged" for row in answers} | (asked or {})
    stage(warehouse, "asked", [pair(item, outcome, answers) for item, outcome in pairs.items()], run)


def pair(item, outcome, answers):
    return {
        "enrichment": "sentiment",
        "item_id": item,
        "content_hash": "h",
        "prompt_version": "p",
        "outcome": outcome,
        "rows_out": sum(row["item_id"] == item for row in answers),
        "model": "offline",
    }


def verdicts(warehouse):
    rows = warehouse.rows("select rule, outcome, failed, total, decision from ops.validations")
    return {row.pop("rule"): row for row in rows}


def rejected(warehouse):
    return {(row["item_id"], row["rule"]) for row in warehouse.rows("select item_id, rule from staging.rejects")}


def test_a_good_batch_passes_every_rule(warehouse, run):
    propose(warehouse, run, [answer(n) for n in range(5)])
    counts = operator(warehouse).work(run, {}).as_dict()
    assert counts == {"judged": 5, "set_aside": 0}
    found = verdicts(warehouse)
    unpaid = {"cost_per_row", "tokens_per_row"}  # nothing was paid, so there is nothing to measure
    assert {rule.id for rule in RULES} - unpaid | {"set_aside_share"} == set(found)
    assert {row["decision"] for row in found.values()} == {"publish"}
    too_new = {rule for rule, row in found.items() if row["outcome"] == "not_enough_history"}
    assert too_new == {"packing_agrees", "unknown_rate", "label_drift", "volume_usual"}
    assert {row["outcome"] for rule, row in found.items() if rule not in too_new} == {"pass"}


def test_nothing_staged_passes_without_great_expectations(warehouse, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    assert operator(warehouse).work(run, {}).as_dict() == {"judged": 0, "set_aside": 0, "notes": ["nothing staged"]}


def test_one_bad_row_is_set_aside_and_the_rest_passes(warehouse, run):
    propose(warehouse, run, [*(answer(n) for n in range(5)), answer(5, label="furious")])
    counts = operator(warehouse).work(run, {}).as_dict()
    assert counts == {"judged": 6, "set_aside": 1, "notes": ["label_known 1/6"]}
    assert rejected(warehouse) == {("slack:T:C:5", "label_known")}


@pytest.mark.parametrize("column", ["label", "score", "is_grounded", "has_personal_data", "model"])
def test_null_never_passes_a_rule(warehouse, run, column):
    propose(warehouse, run, [answer(1, **{column: None})])
    operator(warehouse).work(run, {})
    assert {item for item, _ in rejected(warehouse)} == {"slack:T:C:1"}


def test_rows_of_nothing_but_null_are_judged_too(warehouse, run):
    propose(warehouse, run, [{"item_id": f"i{n}"} for n in range(9)])
    with pytest.raises(GateBlocked):
        operator(warehouse).work(run, {})


def test_a_warning_is_told_and_published(warehouse, run):
    stern = Rule("is_short", "row", "warning", "prompts", "Shorten it.", "length(quote) < 3")
    propose(warehouse, run, [answer(1)])
    assert operator(warehouse, stern).work(run, {}).as_dict()["notes"] == ["is_short 1/1"]
    assert not rejected(warehouse)


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
@pytest.mark.parametrize("scope", ["row", "run"])
def test_a_rule_that_raises_blocks_and_the_others_are_still_judged(warehouse, run, scope, severity):
    broken = Rule("broken", scope, severity, "pipeline", "Mend it.", "no_such_column > 0", "select 1 as slice")
    propose(warehouse, run, [answer(1)])
    with pytest.raises(GateBlocked, match="broken could not be judged"):
        operator(warehouse, broken).work(run, {})
    found = verdicts(warehouse)
    assert found.pop("broken")["outcome"] == "error"
    assert {row["outcome"] for row in found.values()} == {"pass", "not_enough_history"}


@pytest.mark.parametrize("column", ["quote", "label", "answered_at", "has_personal_data"])
def test_a_column_that_the_staged_table_lacks_blocks_and_what_can_be_judged_is(warehouse, run, column):
    propose(warehouse, run, [answer(1)])
    warehouse.transact([f"alter table staging.sentiment drop column {column}"])
    with pytest.raises(GateBlocked, match="could not be judged"):
        operator(warehouse).work(run, {})
    found = verdicts(warehouse)
    assert {row["outcome"] for row in found.values()} >= {"error", "pass"}
    assert found["key_unique"]["outcome"] == "pass"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"slack:T:C:1": "pending"}, id="staged though pending"),
        pytest.param({"slack:T:C:1": "quarantined"}, id="staged though refused"),
        pytest.param({"slack:T:C:1": "forgotten"}, id="an outcome nobody knows"),
    ],
)
def test_a_pair_that_is_not_exactly_once_accounted_for_blocks(warehouse, run, asked):
    propose(warehouse, run, [answer(1), answer(2)], asked=asked)
    with pytest.raises(GateBlocked, match="answered_once 1/"):
        operator(warehouse).work(run, {})


def test_an_answer_that_was_lost_blocks(warehouse, run):
    lost = answer(2)
    propose(warehouse, run, [answer(1), lost])
    warehouse.transact([("delete from staging.sentiment where item_id = ?", (lost["item_id"],))])
    with pytest.raises(GateBlocked, match="answered_once 1/2"):
        operator(warehouse).work(run, {})


def test_what_nobody_asked_blocks(warehouse, run):
    propose(warehouse, run, [answer(1)])
    append(warehouse, "staging.sentiment", [answer(2) | {"run_id": run.run_id, "shard": "b"}])
    with pytest.raises(GateBlocked, match="answered_once 1/2"):
        operator(warehouse).work(run, {})


def test_an_answer_to_another_text_blocks(warehouse, run):
    propose(warehouse, run, [answer(1, content_hash="another")])
    with pytest.raises(GateBlocked, match="answered_once 1/1"):
        operator(warehouse).work(run, {})


def test_empty_answers_and_what_waits_are_accounted_for(warehouse, run):
    propose(warehouse, run, [answer(1)], asked={"slack:T:C:2": "pending", "slack:T:C:3": "quarantined"})
    append(warehouse, "staging.asked", [pair("slack:T:C:4", "staged", []) | {"run_id": run.run_id, "shard": "b"}])
    assert operator(warehouse).work(run, {}).as_dict()["judged"] == 4


@pytest.mark.parametrize(
    ("bad", "total", "blocks"),
    [(1, 1, False), (3, 5, False), (4, 5, True), (3, 40, False), (5, 100, False), (6, 100, True)],
)
def test_too_large_a_share_blocks_but_a_few_never_do(warehouse, run, bad, total, blocks):
    propose(warehouse, run, [answer(n, score=7 if n < bad else 0) for n in range(total)])
    if blocks:
        with pytest.raises(GateBlocked, match=f"set_aside_share {bad}/{total}"):
            operator(warehouse).work(run, {})
    else:
        assert operator(warehouse).work(run, {}).as_dict()["set_aside"] == bad


def test_the_share_is_configurable(warehouse, run):
    propose(warehouse, run, [answer(n, score=7 if n < 10 else 0) for n in range(20)])
    assert operator(warehouse, max_quarantined_share=0.5).work(run, {}).as_dict()["set_aside"] == 10


def test_a_block_opens_a_case_and_takes_its_pairs_out_of_what_is_owed(warehouse, run):
    propose(warehouse, run, [answer(1)], asked={"slack:T:C:2": "forgotten", "slack:T:C:3": "pending"})
    with pytest.raises(GateBlocked):
        operator(warehouse).work(run, {})
    (case,) = warehouse.rows("select subject, run_id, rules, state from ops.cases")
    assert case == {"subject": "sentiment", "run_id": run.run_id, "rules": "answered_once", "state": "open"}
    answers = warehouse.rows("select item_id, status, reason from ops.answers order by item_id")
    assert [row["status"] for row in answers] == ["quarantined", "quarantined", "pending"]
    assert answers[0]["reason"] == "blocked by answered_once"


def test_judging_again_replaces_the_findings(warehouse, run):
    propose(warehouse, run, [answer(1), answer(2, label="furious")], asked={"slack:T:C:3": "forgotten"})
    for _ in range(2):
        with pytest.raises(GateBlocked):
            operator(warehouse).work(run, {})
    assert warehouse.rows("select count(*) as n from ops.cases") == [{"n": 1}]
    propose(warehouse, run, [answer(1), answer(2)])
    operator(warehouse).work(run, {})
    assert {row["decision"] for row in verdicts(warehouse).values()} == {"publish"}
    assert not rejected(warehouse)
    assert not warehouse.rows("select * from ops.cases")


def test_what_a_person_accepted_passes(warehouse, run):
    propose(warehouse, run, [answer(1)], asked={"slack:T:C:2": "forgotten"})
    with pytest.raises(GateBlocked):
        operator(warehouse).work(run, {})
    decide(warehouse, warehouse.rows("select case_id from ops.cases")[0]["case_id"], "accepted", "ada")
    assert operator(warehouse).work(run, {}).as_dict()["notes"] == ["answered_once 1/2"]


def test_no_finding_quotes_a_customer(warehouse, run):
    propose(warehouse, run, [answer(n, label=HOSTILE, score=9) for n in range(9)])
    with pytest.raises(GateBlocked) as blocked:
        operator(warehouse).work(run, {})
    written = [
        str(blocked.value),
        *(
            json.dumps(warehouse.rows(f"select * from {t}"), default=str)
            for t in ("ops.validations", "staging.rejects")
        ),
    ]
    assert not [line for line in written if "script" in line or "jane" in line]
