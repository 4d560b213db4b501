"""The one table at the end of a run: read from the warehouse, so that it says what is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from include.cli.aligned import aligned
from include.settings import Settings
from include.warehouse import warehouse as open_warehouse

OFFLINE = "offline model, not a language model (a lexicon and word similarity; English only)"
SAMPLE = "this was the bundled sample; README.md says how to read your own Slack export and reviews"
SOURCES = """
    select source, count(*) as items, count_if(first_run_id = ?) as new, count_if(run_id = ?) as published
    from feedback.items group by source order by source
"""
ENRICHMENTS = """
    select enrichment, count_if(status = 'answered') as answered,
        count_if(status = 'answered' and run_id = ?) as answered_now,
        count_if(status = 'quarantined') as quarantined, count_if(status = 'pending') as pending
    from ops.answers group by enrichment order by enrichment
"""
CALLS = """
    select count(*) as calls, coalesce(sum(input_tokens), 0) as input_tokens,
        coalesce(sum(output_tokens), 0) as output_tokens, coalesce(sum(cost_usd), 0) as usd
    from ops.llm_calls where run_id in ({marks})
"""
QUARANTINED = "select count(*) from ops.quarantine where status = 'open'"
PENDING = "select count(*) from ops.answers where status = 'pending'"
MODELS = "select distinct model from ops.answers where status = 'answered' and model is not null order by model"
REFUSED = """
    select source, part, detail from ops.coverage
    where status <> 'skipped' and reason <> 'out_of_reach'
    order by source, part
"""
"""What a person has to know of; that a source was out of reach stands in the line of its task."""
NO_LINK = "select count(*) from feedback.items where source = 'slack' and permalink is null"
DOMAIN = "Slack threads have no permalink: set FEEDBACK_SLACK_DOMAIN to the first part of <domain>.slack.com"
# What fails the run is told by its task; the rest is put off, a line for each reason.
LEFT = (
    "select source, reason, count(*) as parts, min(detail) as detail from ops.coverage"
    " where status = 'failed' and reason <> 'out_of_reach' group by source, reason order by source, reason"
)
CASES = "select subject from ops.cases where state = 'open' order by opened_at, subject"


def collect(settings: Settings, run_ids: dict[str, str], seconds: float) -> dict[str, Any]:
    """Return what the runs did and what the warehouse holds now."""
    from feedback.digest.runs import troubles
    from feedback.notifications.digests import waiting
    from feedback.resolution.waiting import open_names
    from include.entities import ENTITY_KINDS
    from include.golden import agreement
    from include.sources import sources

    warehouse = open_warehouse(settings)
    read = {source.name for source in sources(settings)}
    extract, enrich = run_ids.get("extract_feedback", ""), run_ids.get("enrich_feedback", "")
    runs = tuple(run_ids.values())
    marks = ", ".join("?" for _ in runs) or "''"
    return {
        "sample": settings.is_sample,
        "sources": warehouse.rows(SOURCES, (extract, extract)),
        "enrichments": warehouse.rows(ENRICHMENTS, (enrich,)),
        "models": [row["model"] for row in warehouse.rows(MODELS)],
        "quarantined": _one(warehouse.rows(QUARANTINED)),
        "pending": _one(warehouse.rows(PENDING)),
        "names": open_names(warehouse, [kind.name for kind in ENTITY_KINDS]),
        "without_link": 0 if settings.is_sample else _one(warehouse.rows(NO_LINK)),
        "cases": [row["subject"] for row in warehouse.rows(CASES)],
        "refused": [row for row in warehouse.rows(REFUSED) if row["source"] in read],
        "left": [row for row in warehouse.rows(LEFT) if row["source"] in read],
        "unposted": waiting(warehouse),
        "troubles": troubles(warehouse, runs),
        **warehouse.rows(CALLS.format(marks=marks), runs)[0],
        "agreement": agreement(warehouse),
        "seconds": round(seconds, 1),
        "report": str(settings.data_home / "report" / "index.html"),
        "digest": str(settings.data_home / "digest"),
        "warehouse": str(settings.warehouse_path if settings.engine == "duckdb" or settings.is_sample else "snowflake"),
    }


def _one(rows: list[dict[str, Any]]) -> int:
    return int(next(iter(rows[0].values())))


def render(facts: dict[str, Any]) -> str:
    """Return the table a person reads."""
    sources = [[s["source"], s["items"], s["new"], s["published"]] for s in facts["sources"]]
    return "\n".join(
        [
            "",
            *aligned([["source", "items", "new", "published now"], *sources]),
            *([] if sources else ["nothing was read"]),
            "",
            *aligned(_answers(facts)),
            "",
            *aligned(list(_told(facts))),
            *([SAMPLE] if facts["sample"] else []),
            *([f"{facts['without_link']:,} {DOMAIN}"] if facts["without_link"] else []),
        ]
    )


def _answers(facts: dict[str, Any]) -> list[list[Any]]:
    golden = {found["enrichment"]: "{right} of {total}, {share:.0%}".format(**found) for found in facts["agreement"]}
    header = ["enrichment", "answered", "new", "quarantined", "pending", "agree with golden"]
    rows = [
        [
            e["enrichment"],
            e["answered"],
            e["answered_now"],
            e["quarantined"],
            e["pending"],
            golden.get(e["enrichment"], ""),
        ]
        for e in facts["enrichments"]
    ]
    return [header, *rows] if golden else [row[:-1] for row in (header, *rows)]


def _told(facts: dict[str, Any]) -> Iterator[list[str]]:
    yield ["set aside", f"{facts['quarantined']:,} rows"]
    yield ["calls", f"{facts['calls']:,}"]
    yield ["tokens", f"{facts['input_tokens']:,} in, {facts['output_tokens']:,} out"]
    yield ["cost", f"US$ {facts['usd']:,.4f}"]
    yield ["time", f"{facts['seconds']} seconds"]
    for model in facts["models"]:
        yield ["model", OFFLINE if model == "offline" else model]
    for what in ("report", "digest", "warehouse"):
        yield [what, facts[what]]


def complaints(facts: dict[str, Any], states: dict[str, str]) -> list[str]:
    """Return one line for each thing that a person must know of."""
    lines = ["{dag_id}.{task_id}: {message}".format(**trouble) for trouble in facts["troubles"]]
    lines += [f"not read: {gap['source']}: {gap['detail']}" for gap in facts["refused"]]
    for left in facts["left"]:
        more = f" (and {left['parts'] - 1} more like it, see ops.coverage)" if left["parts"] > 1 else ""
        lines.append(f"not read yet: {left['source']}: {left['detail']}{more}")
    if facts["pending"]:
        lines.append(f"{facts['pending']:,} answers wait; the next run goes on with them")
    if facts["names"]:
        lines.append(f"{facts['names']:,} names wait for what they stand for; the next run goes on with them")
    if facts["unposted"]:
        told = ", ".join(facts["unposted"])
        lines.append(f"not posted to Slack yet, the next run tries again, see `make doctor`: {told}")
    if facts["cases"] and not any(trouble["outcome"] == "blocked" for trouble in facts["troubles"]):
        lines.append(f"waits for a decision, see `make review`: {', '.join(facts['cases'])}")
    if not lines:
        lines += [f"{dag_id} ended as {state}" for dag_id, state in states.items() if state != "success"]
    return lines
