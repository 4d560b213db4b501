"""What cases of names and judging again ask of a warehouse, on every engine."""

from datetime import datetime

import pytest

from feedback.errors import InputRefused
from feedback.model import Run
from feedback.resolution.cases import Doubt, open_cases, settle
from feedback.resolution.catalog import Catalog
from feedback.resolution.judging import is_requested, owed, reasons, refuse_answered, request
from feedback.warehouse.merge import append

pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result")

BEFORE = datetime(2026, 11, 1)


def decision(number, norm, candidate, **more):
    plain = {"decision_id": f"d{number}", "kind": "company", "verdict": "same", "decided_by": "llm", "model": "m"}
    plain |= {"prompt_version": "v2", "run_id": "r", "decided_at": BEFORE}
    return plain | {"norm": norm, "candidate": candidate} | more


def test_a_case_of_names_opens_once_and_accepted_links_them(store):
    doubt = Doubt("company", "too_many_alike", frozenset({"a1", "a2", "a3"}))
    run = Run("run_1", "resolve_entities", "resolve")
    [case] = open_cases(store, [doubt], run)
    assert open_cases(store, [doubt], run) == []

    settle(store, case, "accepted", "Ada")

    said = store.rows("select norm, other_norm, verdict from ops.entity_overrides order by other_norm")
    assert [tuple(row.values()) for row in said] == [("a1", "a2", "must_link"), ("a1", "a3", "must_link")]
    assert store.rows("select state, author from ops.cases") == [{"state": "accepted", "author": "Ada"}]


def test_a_group_that_has_only_grown_is_no_case_of_its_own_and_pairs_that_share_a_name_are(store):
    run = Run("run_1", "resolve_entities", "resolve")

    def opened(rule, *names):
        return len(open_cases(store, [Doubt("company", rule, frozenset(names))], run))

    names = [f"a{number}" for number in range(60)]
    assert opened("too_many_alike", *names) == 1
    store.transact(["update ops.cases set state = 'dropped'"])
    assert opened("too_many_alike", *names, "a60") == 0
    assert opened("too_many_alike", *names[1:]) == 0
    assert opened("too_many_alike", *names, *(f"b{number}" for number in range(60))) == 1
    assert opened("judged_the_same", "a1", "a2") == 1
    assert opened("judged_the_same", "a1", "a3") == 1
    assert opened("judged_the_same", "a1", "a2") == 0


def test_only_the_latest_answers_of_an_earlier_prompt_or_the_offline_model_are_owed_and_only_after_a_request(store):
    rows = [
        decision(1, "a", "b", prompt_version="v1"),
        decision(2, "a", "c", model="offline"),
        decision(3, "a", "d"),
        decision(4, "a", "e", decided_by="human", prompt_version="v1"),
        decision(5, "a", "f", prompt_version="v1"),
        decision(6, "a", "f", verdict="different", decided_at=datetime(2026, 11, 2)),
        decision(7, "a", "g", prompt_version="v1"),
        decision(8, "a", "h", prompt_version="v1", kind="product"),
    ]
    append(store, "ops.entity_decisions", rows)
    assert not is_requested(store)
    assert owed(store, "company") == {}

    request(store, "Ada", "v2")

    assert is_requested(store)
    assert list(owed(store, "company")) == [("a", "b"), ("a", "c"), ("a", "g")]
    assert reasons(store, [{"decision_id": "d1"}, {"decision_id": "none"}]) == {"d1": ("a", "b")}


def test_names_of_a_case_that_is_asked_again_are_owed_and_no_others(store):
    append(
        store,
        "ops.entity_decisions",
        [decision(1, "a1", "a2", model="offline"), decision(2, "b1", "b2", model="offline")],
    )
    doubt = Doubt("company", "too_many_alike", frozenset({"a2", "a3"}))
    [case] = open_cases(store, [doubt], Run("run_1", "resolve_entities", "resolve"))
    refuse_answered(store, case, "v2", [], Catalog())
    settle(store, case, "re_asked", "Ada", "v2")

    assert list(owed(store, "company")) == [("a1", "a2")]


def test_a_case_whose_names_a_real_model_has_decided_with_the_present_prompt_is_not_asked_again(store):
    append(store, "ops.entity_decisions", [decision(1, "a1", "a2"), decision(2, "b1", "b2", model="offline")])
    doubt = Doubt("company", "judged_the_same", frozenset({"a1", "a2"}))
    [case] = open_cases(store, [doubt], Run("run_1", "resolve_entities", "resolve"))

    with pytest.raises(InputRefused, match=f"{case} stays open"):
        refuse_answered(store, case, "v2", [], Catalog())
    refuse_answered(store, case, "v3", [], Catalog())


def test_a_request_is_no_standing_order_for_every_later_prompt(store):
    append(store, "ops.entity_decisions", [decision(1, "a", "b"), decision(2, "a", "c", prompt_version="v1")])
    request(store, "Ada", "v2")
    assert list(owed(store, "company")) == [("a", "c")]

    later = decision(3, "a", "c", verdict="different", decided_at=datetime(2100, 1, 1))
    append(store, "ops.entity_decisions", [later])
    assert owed(store, "company") == {}

    request(store, "Ada", "v3")  # only with a new prompt is what was decided before asked about again
    assert list(owed(store, "company")) == [("a", "b")]
