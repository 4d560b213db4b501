"""The table at the end of a run: what a person reads, in columns, and one line for each thing that waits."""

from __future__ import annotations

import pytest

from feedback.warehouse.merge import append
from include import settings
from include.cli.summary import collect, complaints, render
from tests.plugins.feedback.digest.seeded import seed

ENRICHMENT = {"answered": 1551, "answered_now": 2, "quarantined": 3, "pending": 4}
FACTS = {
    "sample": False,
    "sources": [
        {"source": "google_play", "items": 12_000, "new": 5, "published": 6},
        {"source": "slack", "items": 7, "new": 0, "published": 0},
    ],
    "enrichments": [{"enrichment": name, **ENRICHMENT} for name in ("intent", "sentiment")],
    "models": ["a-model"],
    "quarantined": 9,
    "pending": 0,
    "names": 0,
    "without_link": 0,
    "cases": [],
    "refused": [],
    "left": [],
    "unposted": [],
    "troubles": [],
    "calls": 1028,
    "input_tokens": 75_756,
    "output_tokens": 63_845,
    "usd": 1234.5,
    "agreement": [],
    "seconds": 40.7,
    "report": "/home/report/index.html",
    "digest": "/home/digest",
    "warehouse": "/home/warehouse.duckdb",
}
SUCCESS = {"extract_feedback": "success"}


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_items_and_answers_stand_in_columns():
    told = rows(render(FACTS))
    assert ["google_play", "12,000", "5", "6"] in told
    assert ["sentiment", "1,551", "2", "3", "4"] in told
    tables = render(FACTS).split("\n\n")
    for table in tables[:2]:
        assert len({len(line) for line in table.strip("\n").splitlines()}) == 1, table


def test_calls_tokens_dollars_seconds_and_paths_are_told():
    told = dict(line.split(None, 1) for line in render(FACTS).split("\n\n")[-1].splitlines())
    assert told["calls"] == "1,028"
    assert told["tokens"] == "75,756 in, 63,845 out"
    assert told["cost"] == "US$ 1,234.5000"
    assert told["time"] == "40.7 seconds"
    assert told["model"] == "a-model"
    assert [told[name] for name in ("report", "digest", "warehouse")] == [
        "/home/report/index.html",
        "/home/digest",
        "/home/warehouse.duckdb",
    ]


def test_the_offline_model_is_never_taken_for_a_language_model():
    assert "offline model, not a language model" in render(FACTS | {"models": ["a-model", "offline"]})
    assert "offline" not in render(FACTS)


def test_agreement_with_golden_answers_stands_beside_its_enrichment():
    found = {"enrichment": "intent", "right": 219, "total": 527, "share": 0.416, "lower_bound": 0.37}
    told = render(FACTS | {"agreement": [found]})
    (line,) = [line for line in told.splitlines() if line.startswith("intent")]
    assert line.endswith("219 of 527, 42%")
    assert "golden" not in render(FACTS)


def test_where_threads_have_no_link_it_says_which_variable_gives_them_one():
    assert "FEEDBACK_SLACK_DOMAIN" not in render(FACTS)
    assert "1,200 Slack threads have no permalink: set FEEDBACK_SLACK_DOMAIN" in render(FACTS | {"without_link": 1200})


def test_where_nothing_was_read_the_table_says_so():
    assert "nothing was read" in render(FACTS | {"sources": [], "enrichments": [], "models": []})


def test_nothing_is_complained_about_when_all_is_well():
    assert complaints(FACTS, SUCCESS) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"names": 1200}, "1,200 names wait for what they stand for; the next run goes on with them"),
        ({"pending": 1200}, "1,200 answers wait; the next run goes on with them"),
        (
            {"refused": [{"source": "slack_export", "detail": "a.zip is no export"}]},
            "not read: slack_export: a.zip is no export",
        ),
        (
            {"left": [{"source": "slack_api", "detail": "#a is not loaded yet", "parts": 3}]},
            "not read yet: slack_api: #a is not loaded yet (and 2 more like it, see ops.coverage)",
        ),
        (
            {"troubles": [{"dag_id": "d", "task_id": "t", "outcome": "failed", "message": "it broke"}]},
            "d.t: it broke",
        ),
        (
            {"unposted": ["digest:mobile:2026-11-02"]},
            "not posted to Slack yet, the next run tries again, see `make doctor`: digest:mobile:2026-11-02",
        ),
        ({"cases": ["intent"]}, "waits for a decision, see `make review`: intent"),
    ],
)
def test_each_thing_that_waits_is_one_line(changed, line):
    assert complaints(FACTS | changed, SUCCESS) == [line]


def test_the_batch_that_this_run_blocked_is_told_once():
    task = {"dag_id": "d", "task_id": "t", "outcome": "blocked", "message": "intent is not published"}
    assert complaints(FACTS | {"troubles": [task], "cases": ["intent"]}, SUCCESS) == ["d.t: intent is not published"]


def test_a_dag_that_ended_badly_without_a_word_is_named():
    assert complaints(FACTS, {"resolve_entities": "failed"}) == ["resolve_entities ended as failed"]


def test_the_facts_are_what_the_warehouse_holds(warehouse, monkeypatch):
    seed(warehouse)
    case = {"case_id": "c", "subject": "intent", "run_id": "r", "rules": "x", "state": "open"}
    append(
        warehouse,
        "ops.cases",
        [case | {"opened_at": warehouse.rows("select max(updated_at) as t from feedback.items")[0]["t"]}],
    )
    gap = {"source": "itunes_pages", "part": "p", "first_run_id": "r", "last_run_id": "r"}
    reasons = {"chosen": "skipped", "bad_entry": "refused", "empty_page": "failed", "out_of_reach": "failed"}
    gaps = [gap | {"reason": reason, "detail": reason, "status": status} for reason, status in reasons.items()]
    append(warehouse, "ops.coverage", gaps)
    environ = {"FEEDBACK_HOME": str(warehouse.path.parent), "FEEDBACK_DUCKDB_PATH": str(warehouse.path)}
    configured = settings.load(environ | {"FEEDBACK_ITUNES_PAGES": "."})

    facts = collect(configured, {}, 1.234)

    (count,) = warehouse.rows("select count(*) as n from feedback.items")
    assert sum(source["items"] for source in facts["sources"]) == count["n"]
    assert facts["calls"] == 0
    assert facts["cases"] == ["intent"]
    assert sorted(gap["detail"] for gap in facts["refused"]) == ["bad_entry", "empty_page"]
    assert facts["seconds"] == 1.2
    assert facts["warehouse"] == str(warehouse.path)
    assert render(facts)
