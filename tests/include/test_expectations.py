"""Every rule of every suite is broken by a batch of its own, and by nothing else; the snapshots are current."""

import json
from datetime import datetime, timedelta

import pytest

from feedback.errors import GateBlocked
from feedback.model import utc_now
from feedback.operators.validate_operator import ValidateOperator
from feedback.warehouse.merge import append, stage
from include.enrichments import ENRICHMENTS
from include.expectations import SUBJECTS, snapshots, write_snapshots

AT = datetime(2026, 11, 2)
WORDS = "Sync fails since 4.2, <b>please</b> fix"

ITEM = {
    "source": "slack",
    "channel_or_app": "general",
    "text": WORDS,
    "visibility": "public",
    "posted_at": AT,
    "last_activity_at": AT,
    "message_count": 2,
    "author_count": 1,
    "has_reply_by_team": False,
    "content_hash": "h",
    "is_askable": True,
    "updated_at": AT,
    "has_personal_data": False,
}
ANSWER = {
    "quote": WORDS,
    "content_hash": "h",
    "prompt_version": "p",
    "model": "offline",
    "decided_by": "llm",
    "is_stale": False,
    "engine_version": "1",
    "answered_at": AT,
    "is_grounded": True,
    "has_personal_data": False,
}
# A new enrichment needs no line here as long as it answers with a label and a confidence.
OWN = {enrichment.name: {"label": enrichment.labels[0], "confidence": 0.5} for enrichment in ENRICHMENTS} | {
    "sentiment": {"label": "mixed", "score": 0.0, "confidence": 1.0},
    "intent": {"label": "question", "confidence": 0.0},
    "area": {"label": "search", "confidence": 0.5},
    "mentions": {"kind": "product", "surface": "Kite", "norm": "kite"},
}
NAME = {"kind": "product", "entity_id": "e1", "score": 1.0, "decision_id": "d"}
ENTITY = {"kind": "product", "canonical_name": "Kite", "is_competitor": False, "status": "active", "created_at": AT}

TWICE = "twice"
"""A row whose key another row has."""

BROKEN_ROW = {
    "items": {
        "key_unique": TWICE,
        "key_well_formed": {"source_key": "elsewhere"},
        "source_known": {"source": "gopher", "item_id": "gopher:0"},
        "visibility_known": {"visibility": "secret"},
        "text_present": {"text": None, "is_askable": False, "unasked_reason": "no_words"},
        "askable_has_words": {"text": "  "},
        "unasked_has_reason": {"is_askable": False},
        "personal_data_absent": {"has_personal_data": True},
        "posted_at_sane": {"last_activity_at": utc_now() + timedelta(days=3)},
        "rating_in_range": {"rating": 6},
        "counts_sane": {"message_count": 0, "author_count": 0},
        "lineage_complete": {"content_hash": None},
        "text_undamaged": {"text": "caf\ufffd"},
    },
    "answers": {
        "key_unique": TWICE,
        "label_known": {"label": "furious"},
        "score_in_range": {"score": 1.01},
        "confidence_in_range": {"confidence": None},
        "quote_grounded": {"is_grounded": False},
        "quote_given": {"quote": None},
        "personal_data_absent": {"has_personal_data": True},
        "lineage_complete": {"decided_by": "guess"},
    },
    "entities": {
        "name_unique": TWICE,
        "name_present": {"norm": ""},
        "score_in_range": {"score": 2.0},
        "decision_named": {"decision_id": None},
    },
}


def items(warehouse, run, change):
    rows = [ITEM | {"source_key": str(n), "item_id": f"slack:{n}"} for n in range(5)]
    stage(warehouse, "items", changed(rows, change), run)


def answers(name, key):
    def propose(warehouse, run, change):
        rows = [ANSWER | OWN[name] | {"item_id": f"slack:{n}"} for n in range(5)]
        rows = [row | ({"mention_id": row["item_id"]} if "mention_id" in key else {}) for row in rows]
        rows = changed(rows, change)
        stage(warehouse, name, rows, run)
        pair = {"enrichment": name, "content_hash": "h", "prompt_version": "p", "outcome": "staged"}
        counts = {row["item_id"]: sum(other["item_id"] == row["item_id"] for other in rows) for row in rows}
        stage(warehouse, "asked", [pair | {"item_id": item, "rows_out": n} for item, n in counts.items()], run)

    return propose


def entities(warehouse, run, change):
    stage(warehouse, "entity_names", changed([NAME | {"norm": f"kite {n}"} for n in range(5)], change), run)
    stage(warehouse, "entities", [ENTITY | {"entity_id": "e1"}], run)


def changed(rows, change):
    return [*rows, rows[0]] if change == TWICE else [rows[0] | change, *rows[1:]]


def lose_a_row(warehouse, run, name):
    warehouse.transact([f"delete from staging.{name} where item_id = 'slack:0'"])


def stage_entity(**wrong):
    def change(warehouse, run, name):
        append(warehouse, "staging.entities", [ENTITY | {"run_id": run.run_id, "shard": "b"} | wrong])

    return change


def miss_a_reply(warehouse, run, name):
    thread = {"team_id": "T1", "channel_id": "C1", "thread_ts": "1759312800.000001", "reply_count": 1}
    append(warehouse, "ops.slack_threads", [thread])


def name_nobody(warehouse, run, name):
    warehouse.transact(["update staging.entity_names set entity_id = 'nobody' where norm = 'kite 0'"])


def move_names(number, is_explained):
    """Published names stand for another entity in what is staged."""

    def change(warehouse, run, name):
        names = [NAME | {"norm": f"kite {n}", "run_id": "r"} for n in range(number)]
        append(warehouse, "feedback.entity_names", [row | {"entity_id": "e0"} for row in names])
        append(warehouse, "feedback.entities", [ENTITY | {"entity_id": "e0", "canonical_name": "Old", "run_id": "r"}])
        mine = {"run_id": run.run_id, "shard": "b"}
        append(warehouse, "staging.entity_names", [row | mine for row in names[5:]])
        events = [
            {"event_id": row["norm"], "entity_id": "e1", "event": "attach", "norm": row["norm"], "created_at": AT}
            | mine
            for row in names
        ]
        append(warehouse, "staging.entity_events", events if is_explained else [])

    return change


def mention_unresolved(warehouse, run, name):
    row = ANSWER | OWN["mentions"] | {"item_id": "i", "mention_id": "m", "run_id": "r"}
    append(warehouse, "feedback.mentions", [{k: v for k, v in row.items() if not k.startswith(("is_g", "has_"))}])


def spoil(warehouse, run, name):
    """Four of five items break a row rule: more than a few."""
    table = "entity_names" if name == "entities" else name
    column = "decision_id" if name == "entities" else "content_hash" if name == "items" else "decided_by"
    key = "norm" if name == "entities" else "item_id"
    warehouse.transact([f"update staging.{table} set {column} = null where {key} not like '%0'"])


def disagree_when_packed(warehouse, run, name):
    checks = {"enrichment": name, "prompt_version": "p", "model": "offline", "pack_rows": 20, "agreement": 0.5}
    checks |= {"call_id": "c", "run_id": "r", "checked_at": AT}
    append(warehouse, "ops.pack_checks", [checks | {"text_hash": str(number)} for number in range(60)])
    warehouse.transact(["update staging.asked set model = 'offline'"])


BROKEN_BATCH = {
    "answered_once": lose_a_row,
    "packing_agrees": disagree_when_packed,
    "set_aside_share": spoil,
    "replies_complete": miss_a_reply,
    "entity_unique": stage_entity(entity_id="e1"),
    "entity_known": name_nobody,
    "redirect_known": stage_entity(entity_id="e2", status="merged", merged_into="nobody"),
    "names_resolved": mention_unresolved,
    "current_name_unique": stage_entity(entity_id="e2"),
    "ids_explained": move_names(1, is_explained=False),
    "churn_bounded": move_names(21, is_explained=True),
}
CASES = [
    pytest.param(subject, rule, id=f"{subject.name}-{rule.id}")
    for subject in SUBJECTS
    for rule in ValidateOperator(task_id="validate", subject=subject, warehouse=None).rules
]


def propose(warehouse, run, subject, change):
    proposing = {"items": items, "entities": entities}.get(subject.name) or answers(subject.name, subject.judged.key)
    proposing(warehouse, run, change)


def judge(warehouse, run, subject):
    """Return the broken rules."""
    try:
        ValidateOperator(task_id="validate", subject=subject, warehouse=warehouse).work(run, {})
        decision = "publish"
    except GateBlocked:
        decision = "block"
    found = warehouse.rows("select distinct rule, decision from ops.validations where outcome <> 'pass'")
    assert {row["decision"] for row in found} <= {decision}
    return {row["rule"] for row in found}, decision


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_sound_batch_breaks_no_rule(warehouse, run, subject):
    propose(warehouse, run, subject, {})
    assert judge(warehouse, run, subject) == (set(), "publish")


@pytest.mark.parametrize(("subject", "rule"), CASES)
def test_each_rule_is_broken_by_a_batch_of_its_own(warehouse, run, subject, rule):
    if rule.scope == "row":
        propose(warehouse, run, subject, BROKEN_ROW[subject.kind][rule.id])
        assert judge(warehouse, run, subject) == ({rule.id}, "publish")
    else:
        propose(warehouse, run, subject, {})
        BROKEN_BATCH[rule.id](warehouse, run, subject.name)
        broken, decision = judge(warehouse, run, subject)
        assert rule.id in broken
        assert decision == ("block" if rule.severity == "critical" else "publish")


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_rules_are_named_once_and_say_what_to_do(subject):
    assert len({rule.id for rule in subject.rules}) == len(subject.rules)
    for rule in subject.rules:
        assert rule.id.isidentifier()
        assert rule.id == rule.id.lower()
        assert "\n" not in rule.runbook
        assert rule.runbook.endswith(".")
        assert bool(rule.measure) == (rule.scope == "run")


def test_the_snapshots_show_the_rules_as_they_are():
    for file, text in snapshots().items():
        assert file.exists(), f"{file.name} is missing: write the snapshots anew"
        assert file.read_text(encoding="utf-8") == text, f"{file.name} is old: write the snapshots anew"
    assert write_snapshots() == []


def test_a_snapshot_holds_severity_owner_and_runbook_of_each_rule():
    for subject in SUBJECTS:
        (text,) = (text for file, text in snapshots().items() if file.stem == subject.name)
        told = {row["meta"]["rule"]: row for row in json.loads(text)["expectations"]}
        for rule in subject.rules:
            assert told[rule.id]["severity"] == rule.severity
            assert told[rule.id]["meta"]["runbook"] == rule.runbook
