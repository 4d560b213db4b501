"""Publishing on a real warehouse file: what appears, what stays, what is never published twice or too late."""

import json
from datetime import timedelta

import pytest

from feedback.errors import GateBlocked
from feedback.model import Run, utc_now
from feedback.operators.publish_operator import PublishOperator
from feedback.operators.validate_operator import ValidateOperator
from feedback.validation.answers import answer_rules
from feedback.validation.cases import decide
from feedback.validation.rule import Rule
from feedback.validation.subject import Subject, Table, answer_subject
from feedback.warehouse.merge import append, stage

HOSTILE = "<img src=x onerror=alert('1')>\n'); delete from feedback.items; -- 🧨 \u202e"
FIRST = utc_now() - timedelta(hours=20)
AREA = answer_subject("area", key=("item_id", "label"), rules=answer_rules(labels=("a", "b"), key=("item_id", "label")))
ITEMS = Subject(
    name="items",
    kind="items",
    tables=(Table("items", ("item_id",)),),
    rules=(Rule("has_source", "row", "critical", "sources", "Mend it.", "source <> 'nowhere'"),),
    answered_by=("area", "sentiment"),
)
ENTITIES = Subject(
    name="entities",
    kind="entities",
    tables=(
        Table("entity_names", ("kind", "norm")),
        Table("entities", ("entity_id",)),
        Table("entity_decisions", ("decision_id",), schema="ops"),
        Table("entity_events", ("event_id",), schema="ops"),
    ),
    rules=(Rule("sure", "row", "critical", "pipeline", "Mend it.", "score > 0"),),
)


def a_run(number):
    return Run(run_id=f"run_{number}", dag_id="a_dag", task_id="publish")


def item(number, content_hash="h", **changed):
    return {
        "item_id": f"slack:T:C:{number}",
        "source": "slack",
        "source_key": f"T:C:{number}",
        "channel_or_app": "general",
        "text": HOSTILE,
        "visibility": "public",
        "posted_at": FIRST,
        "last_activity_at": FIRST,
        "message_count": 1,
        "author_count": 1,
        "has_reply_by_team": False,
        "content_hash": content_hash,
        "is_askable": True,
        "updated_at": FIRST,
        "has_personal_data": False,
    } | changed


def answer(number, label="a", hours=0, **changed):
    return {
        "item_id": f"slack:T:C:{number}",
        "label": label,
        "quote": HOSTILE,
        "confidence": 0.9,
        "content_hash": "h",
        "prompt_version": "p",
        "model": "offline",
        "decided_by": "llm",
        "is_stale": False,
        "engine_version": "1",
        "answered_at": FIRST + timedelta(hours=hours),
        "is_grounded": True,
        "has_personal_data": False,
    } | changed


def stage_items(warehouse, run, *items):
    stage(warehouse, "items", [row | {"first_run_id": run.run_id} for row in items], run)


def stage_answers(warehouse, run, *answers, asked=None, model="offline", hours=0):
    stage(warehouse, "area", answers, run)
    outcomes = {row["item_id"]: "staged" for row in answers} | (asked or {})
    shared = {"enrichment": "area", "model": model, "prompt_version": "p", "asked_at": FIRST + timedelta(hours=hours)}
    pairs = [
        shared
        | {
            "item_id": item_id,
            "outcome": outcome,
            "rows_out": sum(row["item_id"] == item_id for row in answers),
            "content_hash": next((row["content_hash"] for row in answers if row["item_id"] == item_id), "h"),
        }
        for item_id, outcome in outcomes.items()
    ]
    stage(warehouse, "asked", pairs, run)


def publish(warehouse, subject, run, context=None):
    """Publish; a batch that no test has judged counts as passed."""
    if not warehouse.rows(
        "select 1 as n from ops.validations where run_id = ? and subject = ?", (run.run_id, subject.name)
    ):
        verdict = {"run_id": run.run_id, "subject": subject.name, "rule": "any", "slice": "all", "severity": "critical"}
        verdict |= {"outcome": "pass", "failed": 0, "total": 1, "decision": "publish", "checked_at": FIRST}
        append(warehouse, "ops.validations", [verdict])
    return PublishOperator(task_id="publish", subject=subject, warehouse=warehouse).work(run, context or {}).as_dict()


def validate(warehouse, subject, run):
    ValidateOperator(task_id="validate", subject=subject, warehouse=warehouse).work(run, {})


def published_items(warehouse, *items, number=1):
    stage_items(warehouse, a_run(number), *items)
    publish(warehouse, ITEMS, a_run(number))


def areas(warehouse):
    rows = warehouse.rows("select item_id, label from feedback.area order by 1, 2")
    return [(row["item_id"].rsplit(":", 1)[1], row["label"]) for row in rows]


def statuses(warehouse):
    rows = warehouse.rows("select item_id, status, rows_out from ops.answers where enrichment = 'area' order by 1")
    return [(row["item_id"].rsplit(":", 1)[1], row["status"], row["rows_out"]) for row in rows]


def everything(warehouse):
    tables = warehouse.rows(
        "select lower(table_schema || '.' || table_name) as name from information_schema.tables"
        " where lower(table_schema) in ('feedback', 'ops', 'staging') and table_type = 'BASE TABLE' order by 1"
    )
    return {
        table["name"]: sorted(json.dumps(row, default=str) for row in warehouse.rows(f"select * from {table['name']}"))
        for table in tables
    }


def test_each_asked_pair_ends_as_what_became_of_it(warehouse):
    run = a_run(1)
    published_items(warehouse, *(item(n) for n in range(1, 6)))
    asked = {"slack:T:C:3": "staged", "slack:T:C:4": "pending", "slack:T:C:5": "quarantined"}
    stage_answers(warehouse, run, answer(1), answer(1, "b"), answer(2, "a"), answer(2, "zebra"), asked=asked)
    validate(warehouse, AREA, run)
    counts = publish(warehouse, AREA, run)
    assert areas(warehouse) == [("1", "a"), ("1", "b")]
    assert statuses(warehouse) == [
        ("1", "answered", 2),
        ("2", "quarantined", 0),
        ("3", "answered", 0),
        ("4", "pending", 0),
        ("5", "quarantined", 0),
    ]
    assert counts == {"published": 2, "rows": 2, "pending": 1, "quarantined": 1}


def test_one_bad_row_sets_aside_all_rows_of_its_item(warehouse):
    run = a_run(1)
    published_items(warehouse, item(1))
    stage_answers(warehouse, run, answer(1, "a"), answer(1, "zebra"))
    validate(warehouse, AREA, run)
    publish(warehouse, AREA, run)
    assert areas(warehouse) == []
    (row,) = warehouse.rows("select row_key, rule, status from ops.quarantine")
    assert row == {"row_key": "slack:T:C:1|zebra", "rule": "label_known", "status": "open"}


def test_hostile_words_are_published_as_they_are(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1))
    publish(warehouse, AREA, a_run(1))
    assert warehouse.rows("select text from feedback.items") == [{"text": HOSTILE}]
    assert warehouse.rows("select quote from feedback.area") == [{"quote": HOSTILE}]


def test_staging_is_left_empty_and_other_runs_are_left_alone(warehouse):
    published_items(warehouse, item(1), item(2))
    stage_answers(warehouse, a_run(1), answer(1))
    stage_answers(warehouse, a_run(2), answer(2))
    publish(warehouse, AREA, a_run(1))
    assert warehouse.rows("select distinct run_id from staging.area") == [{"run_id": "run_2"}]
    assert warehouse.rows("select distinct run_id from staging.asked") == [{"run_id": "run_2"}]
    assert areas(warehouse) == [("1", "a")]


def test_publishing_again_or_nothing_changes_nothing(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1))
    publish(warehouse, AREA, a_run(1))
    before = everything(warehouse)
    for run in (a_run(1), a_run(2)):
        operator = PublishOperator(task_id="publish", subject=AREA, warehouse=warehouse)
        assert operator.work(run, {}).as_dict()["published"] == 0
    assert everything(warehouse) == before


def test_a_replaced_answer_goes_to_history_whole(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1, "a"), answer(1, "b", hours=1))
    publish(warehouse, AREA, a_run(1))
    stage_answers(warehouse, a_run(2), asked={"slack:T:C:1": "staged"}, model="a real one", hours=2)
    publish(warehouse, AREA, a_run(2))
    assert areas(warehouse) == []
    assert statuses(warehouse) == [("1", "answered", 0)]
    (old,) = warehouse.rows("select * from feedback.answers_history")
    assert (old["item_id"], old["enrichment"], old["run_id"]) == ("slack:T:C:1", "area", "run_2")
    assert old["answered_at"] == FIRST + timedelta(hours=1)
    assert [(row["label"], row["quote"]) for row in json.loads(old["answer"])] == [("a", HOSTILE), ("b", HOSTILE)]


def test_an_older_answer_never_replaces_a_newer_one(warehouse):
    published_items(warehouse, item(1), item(2), item(3))
    stage_answers(warehouse, a_run(1), answer(1, "a"), asked={"slack:T:C:2": "staged", "slack:T:C:3": "pending"})
    stage_answers(warehouse, a_run(2), answer(1, "b", hours=1), answer(2, "b", hours=1), answer(3, "b", hours=1))
    publish(warehouse, AREA, a_run(2))
    before = everything(warehouse)
    publish(warehouse, AREA, a_run(1))  # an old run, cleared
    after = everything(warehouse)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"ops.validations", "staging.area", "staging.asked"}


@pytest.mark.parametrize("outcome", ["staged", "pending", "quarantined"])
def test_what_an_old_run_left_behind_never_overwrites_a_newer_answer_of_another_model(warehouse, outcome):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), asked={"slack:T:C:1": outcome}, model="offline")
    stage_answers(warehouse, a_run(2), answer(1, "b", hours=1), model="a real one")
    publish(warehouse, AREA, a_run(2))
    publish(warehouse, AREA, a_run(1))
    assert areas(warehouse) == [("1", "b")]
    assert statuses(warehouse) == [("1", "answered", 1)]


def test_an_old_answer_never_replaces_a_newer_one_whose_account_a_later_block_rewrote(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1))
    stage_answers(warehouse, a_run(2), answer(1, "b", hours=1), hours=1)
    publish(warehouse, AREA, a_run(2))
    stage_answers(warehouse, a_run(3), answer(1, hours=2), asked={"slack:T:C:9": "forgotten"}, hours=2)
    with pytest.raises(GateBlocked):
        validate(warehouse, AREA, a_run(3))
    publish(warehouse, AREA, a_run(1))
    assert areas(warehouse) == [("1", "b")]


def test_an_item_that_is_gone_gets_no_answer(warehouse):
    stage_answers(warehouse, a_run(1), answer(1))
    publish(warehouse, AREA, a_run(1))
    assert areas(warehouse) == []
    assert statuses(warehouse) == []


def test_quarantine_remembers_who_first_set_a_row_aside_and_lets_go_of_what_passes(warehouse):
    published_items(warehouse, item(1))
    for number, label in ((1, "zebra"), (2, "zebra"), (3, "a")):
        stage_answers(warehouse, a_run(number), answer(1, label, hours=number))
        validate(warehouse, AREA, a_run(number))
        publish(warehouse, AREA, a_run(number))
        (row,) = warehouse.rows("select first_run_id, last_run_id, status from ops.quarantine")
        assert row["first_run_id"] == "run_1"
        assert row["last_run_id"] == f"run_{number}"
    assert row["status"] == "released"


def test_what_the_asking_task_set_aside_itself_is_quarantined_with_its_reason(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), asked={"slack:T:C:1": "quarantined"})
    reject = {"run_id": "run_1", "subject": "area", "row_key": "slack:T:C:1", "item_id": "slack:T:C:1"}
    reject |= {"rule": "answer_valid", "severity": "critical", "reason": "no label", "content_hash": "h"}
    append(warehouse, "staging.rejects", [reject | {"prompt_version": "p"}])
    validate(warehouse, AREA, a_run(1))
    assert publish(warehouse, AREA, a_run(1))["quarantined"] == 1
    (row,) = warehouse.rows("select row_key, rule, reason from ops.quarantine")
    assert row == {"row_key": "slack:T:C:1", "rule": "answer_valid", "reason": "no label"}


def test_items_keep_their_first_run_and_a_changed_text_ages_its_answers(warehouse):
    published_items(warehouse, item(1), item(2))
    stage_answers(warehouse, a_run(1), answer(1), answer(2))
    publish(warehouse, AREA, a_run(1))
    later = FIRST + timedelta(days=1)
    published_items(warehouse, item(1, "other", updated_at=later), item(2, rating=None, updated_at=later), number=2)
    rows = warehouse.rows("select first_run_id, run_id, content_hash from feedback.items order by item_id")
    assert [tuple(row.values()) for row in rows] == [("run_1", "run_2", "other"), ("run_1", "run_2", "h")]
    stale = "select is_stale from feedback.area order by item_id"
    assert [row["is_stale"] for row in warehouse.rows(stale)] == [True, False]
    published_items(warehouse, item(1, updated_at=later), number=3)
    assert [row["is_stale"] for row in warehouse.rows(stale)] == [False, False]


def test_an_item_whose_words_were_taken_back_loses_its_answers_to_history(warehouse):
    published_items(warehouse, item(1), item(2))
    stage_answers(warehouse, a_run(1), answer(1), answer(1, "b"), answer(2))
    publish(warehouse, AREA, a_run(1))
    stage_answers(warehouse, a_run(2), answer(1, hours=1))
    empty = item(1, "empty", text="", is_askable=False, unasked_reason="no_words", updated_at=FIRST + timedelta(1))
    published_items(warehouse, empty, number=3)
    assert areas(warehouse) == [("2", "a")]
    (kept,) = warehouse.rows("select item_id, enrichment, answer, run_id from feedback.answers_history")
    assert (kept["item_id"], kept["enrichment"], kept["run_id"]) == ("slack:T:C:1", "area", "run_3")
    assert sorted(row["label"] for row in json.loads(kept["answer"])) == ["a", "b"]
    assert statuses(warehouse) == [("1", "unasked", 0), ("2", "answered", 1)]
    publish(warehouse, AREA, a_run(2))
    assert areas(warehouse) == [("2", "a")]


@pytest.mark.parametrize(("label", "statuses"), [("a", ["released"]), ("zebra", ["open"])])
def test_what_a_person_had_asked_again_is_not_wanted_any_more_once_it_was(warehouse, label, statuses):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1, "zebra"))
    validate(warehouse, AREA, a_run(1))
    publish(warehouse, AREA, a_run(1))
    warehouse.transact(["update ops.quarantine set status = 'ask_again'"])
    stage_answers(warehouse, a_run(2), answer(1, label, hours=1))
    validate(warehouse, AREA, a_run(2))
    publish(warehouse, AREA, a_run(2))
    assert [row["status"] for row in warehouse.rows("select status from ops.quarantine")] == statuses


def test_an_answer_to_a_text_that_moved_meanwhile_is_stale_from_the_start(warehouse):
    published_items(warehouse, item(1, "newer"))
    stage_answers(warehouse, a_run(1), answer(1))
    publish(warehouse, AREA, a_run(1))
    assert warehouse.rows("select is_stale from feedback.area") == [{"is_stale": True}]


def test_an_older_item_never_replaces_a_newer_one(warehouse):
    published_items(warehouse, item(1, updated_at=FIRST + timedelta(days=1)), number=2)
    published_items(warehouse, item(1, "older"), number=1)
    assert warehouse.rows("select run_id from feedback.items") == [{"run_id": "run_2"}]


def test_a_rejected_item_waits_in_quarantine_while_its_old_version_stays(warehouse):
    published_items(warehouse, item(1))
    stage_items(warehouse, a_run(2), item(1, "h2", source="nowhere", updated_at=FIRST + timedelta(1)))
    validate(warehouse, ITEMS, a_run(2))
    assert publish(warehouse, ITEMS, a_run(2)) == {"published": 0, "quarantined": 1, "withdrawn": 0}
    assert warehouse.rows("select run_id from feedback.items") == [{"run_id": "run_1"}]
    (row,) = warehouse.rows("select subject, content_hash, prompt_version from ops.quarantine")
    assert row == {"subject": "items", "content_hash": "h2", "prompt_version": ""}


def test_a_blocked_batch_publishes_nothing_until_a_person_accepts_it(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1), asked={"slack:T:C:9": "forgotten"})
    before = everything(warehouse)
    with pytest.raises(GateBlocked):
        validate(warehouse, AREA, a_run(1))
    after = everything(warehouse)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"ops.answers", "ops.cases", "ops.validations"}
    assert publish(warehouse, AREA, a_run(2))["published"] == 0
    decide(warehouse, warehouse.rows("select case_id from ops.cases")[0]["case_id"], "accepted", "ada")
    assert publish(warehouse, AREA, a_run(3))["published"] == 1
    assert areas(warehouse) == [("1", "a")]
    assert statuses(warehouse) == [("1", "answered", 1), ("9", "quarantined", 0)]
    assert publish(warehouse, AREA, a_run(4))["published"] == 0


def test_what_no_gate_let_pass_is_not_published(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1), asked={"slack:T:C:9": "forgotten"})
    operator = PublishOperator(task_id="publish", subject=AREA, warehouse=warehouse)
    with pytest.raises(GateBlocked):  # nobody judged it
        operator.work(a_run(1), {})
    with pytest.raises(GateBlocked):
        validate(warehouse, AREA, a_run(1))
    with pytest.raises(GateBlocked):  # and somebody marked the blocked task as successful
        operator.work(a_run(1), {})
    assert areas(warehouse) == []


def test_assets_are_told_the_counts_and_warnings_but_no_text(warehouse):
    class Event:
        extra = None

    loud = Rule("is_short", "row", "warning", "prompts", "Shorten it.", "length(quote) < 3")
    subject = answer_subject("area", key=("item_id", "label"), rules=(loud,))
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1))
    validate(warehouse, subject, a_run(1))
    events = {"feedback.area": Event()}
    operator = PublishOperator(task_id="publish", subject=subject, warehouse=warehouse)
    operator.outlets = ["feedback.area"]
    operator.work(a_run(1), {"outlet_events": events})
    extra = events["feedback.area"].extra
    assert extra == {"published": 1, "rows": 1, "pending": 0, "quarantined": 0, "warnings": ["is_short 1/1"]}


def stage_entities(warehouse, run, hours=0, score=1.0, entity="e1"):
    at = FIRST + timedelta(hours=hours)
    stage(
        warehouse,
        "entity_names",
        [
            {"kind": "product", "norm": "kite", "entity_id": entity, "score": 1.0, "decision_id": f"d{hours}"},
            {"kind": "product", "norm": "wing", "entity_id": entity, "score": score, "decision_id": f"d{hours}"},
        ],
        run,
    )
    named = {"entity_id": entity, "kind": "product", "canonical_name": "Kite", "is_competitor": False}
    stage(warehouse, "entities", [named | {"status": "active", "created_at": at}], run)
    decision = {"decision_id": f"d{hours}", "kind": "product", "norm": "kite", "verdict": "new", "decided_by": "rule"}
    stage(warehouse, "entity_decisions", [decision | {"decided_at": at}], run)
    event = {"event_id": f"v{hours}", "entity_id": entity, "event": "create"}
    stage(warehouse, "entity_events", [event | {"created_at": at}], run)


def test_entities_are_published_with_their_decisions_and_events(warehouse):
    stage_entities(warehouse, a_run(1), score=0.0)
    validate(warehouse, ENTITIES, a_run(1))
    assert publish(warehouse, ENTITIES, a_run(1)) == {"published": 1, "quarantined": 1}
    assert warehouse.rows("select norm from feedback.entity_names") == [{"norm": "kite"}]
    stage_entities(warehouse, a_run(2), hours=1)
    assert publish(warehouse, ENTITIES, a_run(2)) == {"published": 2, "quarantined": 0}
    assert warehouse.rows("select entity_id, run_id from feedback.entities") == [{"entity_id": "e1", "run_id": "run_2"}]
    for table in ("ops.entity_decisions", "ops.entity_events"):
        assert warehouse.rows(f"select count(*) as n from {table}") == [{"n": 2}]
    assert warehouse.rows("select status from ops.quarantine") == [{"status": "released"}]


def test_an_old_proposal_of_entities_is_void_once_a_later_one_is_published(warehouse):
    stage_entities(warehouse, a_run(1), entity="old")
    stage_entities(warehouse, a_run(2), hours=1)
    publish(warehouse, ENTITIES, a_run(2))
    assert publish(warehouse, ENTITIES, a_run(1))["void"] == 2
    assert warehouse.rows("select distinct entity_id from feedback.entity_names") == [{"entity_id": "e1"}]
    assert not warehouse.rows("select * from staging.entity_names")


def test_a_pair_asked_again_is_owed_again(warehouse):
    published_items(warehouse, item(1))
    stage_answers(warehouse, a_run(1), answer(1), asked={"slack:T:C:9": "forgotten"})
    with pytest.raises(GateBlocked):
        validate(warehouse, AREA, a_run(1))
    decide(warehouse, warehouse.rows("select case_id from ops.cases")[0]["case_id"], "re_asked", "ada")
    assert statuses(warehouse) == [("1", "pending", 0), ("9", "pending", 0)]
