"""Every rule of every suite is broken by a batch of its own, and by nothing else; the snapshots are current."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from feedback.errors import GateBlocked
from feedback.model import utc_now
from feedback.operators.validate_operator import ValidateOperator
from feedback.warehouse.merge import append, stage
from include import settings
from include.approved import PROMPTS
from include.enrichments import ENRICHMENTS
from include.expectations import SUBJECTS, limits, snapshots, write_snapshots

AT = utc_now()
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

LABEL = {name: row.get("label") for name, row in OWN.items()}
ALONG = {"set_aside_share": {"decision_named", "lineage_complete"}}
"""What cannot but break with a rule."""

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
        own = OWN[name] | {"prompt_version": PROMPTS[name]}
        rows = [ANSWER | own | {"item_id": f"slack:{n}"} for n in range(5)]
        rows = [row | ({"mention_id": row["item_id"]} if "mention_id" in key else {}) for row in rows]
        rows = changed(rows, change)
        stage(warehouse, name, rows, run)
        counts = {row["item_id"]: sum(other["item_id"] == row["item_id"] for other in rows) for row in rows}
        stage(warehouse, "asked", [asked_pair(name, item, n) for item, n in counts.items()], run)

    return propose


def asked_pair(name, item, rows_out):
    pair = {"enrichment": name, "content_hash": "h", "outcome": "staged", "model": "offline", "asked_at": AT}
    return pair | {"prompt_version": PROMPTS[name], "item_id": item, "rows_out": rows_out}


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
    checks = {
        "enrichment": name,
        "prompt_version": PROMPTS[name],
        "model": "offline",
        "pack_rows": 20,
        "agreement": 0.5,
    }
    checks |= {"call_id": "c", "run_id": "r", "checked_at": AT}
    append(warehouse, "ops.pack_checks", [checks | {"text_hash": str(number)} for number in range(60)])


def past_and_present(past, now, *, rating=None):
    """Three hundred answers of the weeks before, and as many of this run as ``now`` has labels."""

    def change(warehouse, run, name):
        of_past = [(f"slack:p{n}", past[n % len(past)]) for n in range(300 if past else 0)]
        of_now = [(f"slack:n{n}", label) for n, label in enumerate(now)]
        about = {name: value for name, value in ITEM.items() if name != "has_personal_data"}
        about |= {"rating": rating, "first_run_id": "r", "run_id": "r"}
        items = [about | {"source_key": item[6:], "item_id": item} for item, _ in (*of_past, *of_now)]
        append(warehouse, "feedback.items", items)
        asked = {"prompt_version": PROMPTS[name]}
        row = {k: v for k, v in (ANSWER | OWN[name] | asked).items() if k not in ("is_grounded", "has_personal_data")}
        append(warehouse, f"feedback.{name}", [row | {"item_id": i, "label": x, "run_id": "r"} for i, x in of_past])
        answered = {"enrichment": name, "status": "answered", "content_hash": "h", "model": "offline", **asked}
        answered |= {"rows_out": 1, "run_id": "r", "answered_at": AT}
        append(warehouse, "ops.answers", [answered | {"item_id": item} for item, _ in of_past])
        rows = [ANSWER | OWN[name] | asked | {"item_id": item, "label": label} for item, label in of_now]
        stage(warehouse, name, rows, run)
        stage(warehouse, "asked", [asked_pair(name, item, 1) for item, _ in of_now], run)

    return change


def paid(past, now):
    """Six hundred rows of the weeks before and three hundred of this run: dollars and tokens of a row."""

    def change(warehouse, run, name):
        call = dict.fromkeys(("cached_tokens", "cache_write_tokens", "reasoning_tokens", "attempt", "output_tokens"), 0)
        call |= {"purpose": "enrich", "dag_id": "d", "task_id": "t", "model": "m", "mode": "online", "row_count": 300}
        call |= {"status": "settled", "reserved_usd": 1.0, "started_at": AT, "prompt_versions": {}}
        calls = [("a", "r", *past), ("b", "r", *past), ("c", run.run_id, *now)]
        rows = [{"call_id": i, "run_id": r, "cost_usd": 300 * usd, "input_tokens": 300 * n} for i, r, usd, n in calls]
        append(warehouse, "ops.llm_calls", [call | row for row in rows])

    return change


def cover(**gap):
    def change(warehouse, run, name):
        row = {"source": "google_play", "part": "com.example", "status": "failed", "detail": "x"}
        append(warehouse, "ops.coverage", [row | {"first_run_id": "r", "last_run_id": "r"} | gap])

    return change


def usual_batches_are_large(warehouse, run, name):
    total = {"subject": name, "rule": "set_aside_share", "slice": "all", "severity": "critical", "outcome": "pass"}
    total |= {"failed": 0, "total": 900, "decision": "publish", "checked_at": AT}
    append(warehouse, "ops.validations", [total | {"run_id": f"earlier_{n}"} for n in range(7)])


def repeat_words(warehouse, run, name):
    same = ITEM | {"text": WORDS * 3}
    stage(warehouse, "items", [same | {"source_key": f"{n}", "item_id": f"slack:{n}"} for n in range(40)], run)


def answer_golden_worse(warehouse, run, name):
    """Sixty golden items, right in the words that are published, of which half are wrong in those of this run."""
    past_and_present([LABEL[name]], [LABEL[name]] * 60)(warehouse, run, name)
    warehouse.transact([f"update feedback.{name} set prompt_version = 'before'"])
    golden = {"enrichment": name, "answer": json.dumps(LABEL[name]), "author": "ada", "added_at": AT}
    append(warehouse, "ops.golden", [golden | {"item_id": f"slack:g{n}"} for n in range(60)])
    said = {"enrichment": name, "content_hash": "h", "model": "offline", "run_id": "r", "answered_at": AT}
    for version, right in (("before", 60), (PROMPTS[name], 30)):
        rows = [
            said | {"item_id": f"slack:g{n}", "prompt_version": version, "answer": [LABEL[name] if n < right else "x"]}
            for n in range(60)
        ]
        append(warehouse, "ops.golden_answers", rows)


def update(*changes):
    def apply(warehouse, run, name):
        warehouse.transact([change.format(name=name) for change in changes])

    return apply


def end_the_budget(warehouse, run, name):
    waits = asked_pair(name, "slack:9", 0) | {"outcome": "pending", "reason": "budget", "run_id": run.run_id}
    append(warehouse, "staging.asked", [waits | {"shard": "b"}])


BROKEN_BATCH = {
    "answers_fresh": update("update staging.{name} set answered_at = answered_at - interval '2 days'"),
    "unknown_rate": past_and_present(["positive", "negative"], ["neutral"] * 40),
    "label_drift": past_and_present(["positive"], ["negative"] * 60),
    "stars_agree": past_and_present([], ["positive"] * 40, rating=1),
    "volume_usual": usual_batches_are_large,
    "budget_sufficed": end_the_budget,
    "budget_kept": paid((0.02, 9), (0.02, 9)),
    "cost_per_row": paid((0.001, 9), (0.003, 9)),
    "tokens_per_row": paid((0.001, 900), (0.001, 1900)),
    "asked_as_approved": update(
        "update staging.asked set model = 'a stranger'", "update staging.{name} set model = 'a stranger'"
    ),
    "golden_holds": answer_golden_worse,
    "window_kept": cover(reason="window_missed"),
    "sources_covered": cover(reason="broken_json", status="refused"),
    "words_once": repeat_words,
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


def gate(warehouse, subject):
    bounds = limits(settings.load({})) if subject.kind == "answers" else ()
    return ValidateOperator(task_id="validate", subject=subject, limits=bounds, warehouse=warehouse)


def cases():
    """Each rule once: what several questions share is broken for one of them."""
    known = set()
    for subject in SUBJECTS:
        for rule in gate(None, subject).rules:
            about = replace(rule, measure=rule.measure.replace(PROMPTS.get(subject.name, "-"), "-"))
            if (subject.kind, about) not in known:
                known.add((subject.kind, about))
                yield pytest.param(subject, rule, id=f"{subject.name}-{rule.id}")


def propose(warehouse, run, subject, change):
    proposing = {"items": items, "entities": entities}.get(subject.name) or answers(subject.name, subject.judged.key)
    proposing(warehouse, run, change)


def prompt_line(subject):
    (prompt,) = (enrichment.prompt for enrichment in ENRICHMENTS if enrichment.name == subject.name)
    return max(prompt.splitlines(), key=len)


def judge(warehouse, run, subject):
    """Return the broken rules."""
    try:
        gate(warehouse, subject).work(run, {})
        decision = "publish"
    except GateBlocked:
        decision = "block"
    found = warehouse.rows("select distinct rule, decision from ops.validations where outcome in ('fail', 'error')")
    assert {row["decision"] for row in found} <= {decision}
    return {row["rule"] for row in found}, decision


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_sound_batch_breaks_no_rule(warehouse, run, subject):
    propose(warehouse, run, subject, {})
    assert judge(warehouse, run, subject) == (set(), "publish")


@pytest.mark.parametrize(("subject", "rule"), list(cases()))
def test_each_rule_is_broken_by_a_batch_of_its_own(warehouse, run, subject, rule):
    if rule.id == "prompt_unrepeated":
        propose(warehouse, run, subject, {"quote": f"he said: {prompt_line(subject)}"})
        assert judge(warehouse, run, subject) == ({rule.id}, "publish")
    elif rule.scope == "row":
        propose(warehouse, run, subject, BROKEN_ROW[subject.kind][rule.id])
        assert judge(warehouse, run, subject) == ({rule.id}, "publish")
    else:
        propose(warehouse, run, subject, {})
        BROKEN_BATCH[rule.id](warehouse, run, subject.name)
        broken, decision = judge(warehouse, run, subject)
        assert broken - ALONG.get(rule.id, set()) == {rule.id}
        assert decision == ("block" if rule.severity == "critical" else "publish")


def test_three_golden_items_decide_nothing(warehouse, run):
    (sentiment,) = (subject for subject in SUBJECTS if subject.name == "sentiment")
    answer_golden_worse(warehouse, run, "sentiment")
    warehouse.transact(["delete from ops.golden where item_id not in ('slack:g1', 'slack:g2', 'slack:g3')"])
    assert judge(warehouse, run, sentiment) == (set(), "publish")
    found = warehouse.rows("select outcome, total from ops.validations where rule = 'golden_holds'")
    assert found == [{"outcome": "not_enough_history", "total": 3}]


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
