"""The report of a run: one self-contained page, without script, readable without a network.

A page is computed from the warehouse and the digests on disk; the template only lays it out and escapes
every word. Whatever is missing is said to be missing: an empty warehouse has a page too.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import feedback
from feedback.digest import figures, wording
from feedback.digest.chart import Chart, spark, stacked
from feedback.digest.escape import from_slack, our_link
from feedback.digest.headline import headline, progress
from feedback.digest.outbox import write_atomically
from feedback.digest.page import render
from feedback.digest.rising import rising
from feedback.digest.runs import funnel, latest_runs, troubles
from feedback.digest.trends import Trend, Trends, trends
from feedback.errors import InputRefused
from feedback.model import Run, digest, utc_now
from feedback.warehouse import merge
from feedback.warehouse.base import Warehouse

KEPT = 5
OLD = f"""
    delete from ops.reports where kind = 'run' and report_id not in
    (select report_id from ops.reports where kind = 'run' order by created_at desc, report_id limit {KEPT})
"""
QUIET = """
    select post_key from ops.posts
    where kind = 'digest' and status = 'quiet'
        and window_to = (select max(window_to) from ops.posts where kind = 'digest')
    order by post_key
"""
UNANSWERED = "select count(*) as n from feedback.items where is_unanswered = true"


@dataclass(frozen=True)
class About:
    """What only the settings know about a report.

    :param as_of: the instant that windows end at.
    :param is_sample: the bundled sample was read, nobody's own feedback.
    :param agreement: how often answers agree with the golden file: rows of enrichment, right, total, lower_bound.
    :param hosts: where links may lead beside Slack and the stores.
    """

    as_of: datetime
    is_sample: bool
    budget_usd: float
    budget_usd_day: float
    agreement: Sequence[Mapping[str, Any]] = ()
    hosts: Collection[str] = ()


def write_report(warehouse: Warehouse, folder: Path, digest_folder: Path, about: About, run: Run) -> Path:
    """Write ``index.html``, keep the page in ``ops.reports`` with the newest few, and return its path."""
    page = render(view(warehouse, digest_folder, about))
    now = utc_now()
    row = {"report_id": digest(run.run_id, now.isoformat())[:16], "run_id": run.run_id, "kind": "run"}
    merge.append(warehouse, "ops.reports", [{**row, "body": page, "created_at": now}])
    warehouse.transact([OLD])
    return write_atomically(folder / "index.html", page)


def view(warehouse: Warehouse, digest_folder: Path, about: About) -> dict[str, Any]:
    """Return everything the template shows."""
    runs = latest_runs(warehouse)
    stages = funnel(warehouse, runs)
    gates = figures.gates(warehouse)
    set_aside = warehouse.rows(figures.SET_ASIDE)
    cost = figures.cost(warehouse, runs)
    over_time = trends(warehouse, about.as_of)
    models = [row["model"] for row in warehouse.rows(figures.MODELS)]
    themes = rising(warehouse, about.as_of)
    unhappy = over_time.unhappy
    return {
        "about": about,
        "headline": headline(stages, gates, unhappy[-1] if unhappy else None, themes),
        "progress": progress(stages, sum(row["n"] for row in set_aside), cost),
        "runs": runs,
        "troubles": troubles(warehouse, [run.run_id for run in runs]),
        "stages": stages,
        "unanswered": warehouse.rows(UNANSWERED)[0]["n"],
        "unhappy": unhappy,
        "sentiment": over_time.sentiment,
        "sentiment_chart": _sentiment_chart(over_time),
        "weeks": _week_names(over_time),
        "labels": {"Intent": _sparks(over_time, over_time.intent), "Product area": _sparks(over_time, over_time.area)},
        "themes": [(theme, _theme_spark(theme.weeks[::-1])) for theme in themes],
        "sources": warehouse.rows(figures.SOURCES),
        "named": warehouse.rows(figures.NAMED),
        "gates": gates,
        "set_aside": set_aside,
        "set_aside_rows": _by_rule(warehouse.rows(figures.SET_ASIDE_ROWS), about.hosts),
        "coverage": warehouse.rows(figures.COVERAGE),
        "cost": cost,
        "cost_chart": _cost_chart(cost),
        "digests": read_digests(digest_folder),
        "quiet": [row["post_key"].split(":")[1] for row in warehouse.rows(QUIET)],
        "models": models,
        "not_a_model": wording.NOT_A_MODEL if "offline" in models else None,
        "engine": f"feedback {feedback.__version__} on {warehouse.engine}",
        "made_at": utc_now(),
    }


def _by_rule(
    rows: Sequence[Mapping[str, Any]], hosts: Collection[str]
) -> dict[tuple[str, str], list[tuple[str, str | None]]]:
    """Return a few of the rows that each rule set aside, each with a link where it can be read."""
    found: dict[tuple[str, str], list[tuple[str, str | None]]] = {}
    for row in rows:
        shown = (row["item_id"], our_link(row["permalink"], hosts))
        found.setdefault((row["subject"], row["rule"]), []).append(shown)
    return found


def read_digests(folder: Path) -> list[dict[str, Any]]:
    """Return the digests of the newest day there is, with the words that were escaped for Slack as they were.

    :raises InputRefused: a file is none that we wrote.
    """
    paths = sorted(folder.glob("[0-9]*-*.json")) if folder.is_dir() else []
    return [_readable(path) for path in paths if path.name[:10] == paths[-1].name[:10]]


def _readable(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        lines = [_unescaped(line) for line in body["lines"]]
        return {**_unescaped(body), "lines": lines}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputRefused(f"{path} is no digest as we write them: delete it and run `make digest`") from None


def _unescaped(values: dict[str, Any]) -> dict[str, Any]:
    return {key: from_slack(value) if isinstance(value, str) else value for key, value in values.items()}


def _week_names(over_time: Trends) -> list[str]:
    return [f"{start.day} {start:%b}" for start in over_time.starts]


def _sentiment_chart(over_time: Trends) -> Chart:
    series = [(trend.label, trend.weeks) for trend in over_time.sentiment]
    return stacked(series, _week_names(over_time), width=560, height=240)


def _sparks(over_time: Trends, labels: Sequence[Trend]) -> list[tuple[Trend, Chart]]:
    top = max((max(trend.weeks) for trend in labels), default=0)
    names = [f"week from {name}" for name in _week_names(over_time)]
    return [(trend, spark(trend.weeks, names, top)) for trend in labels]


def _theme_spark(weeks: Sequence[int]) -> Chart:
    names = [f"{len(weeks) - 1 - number} weeks before" for number in range(len(weeks) - 1)] + ["last seven days"]
    return spark(weeks, names, max(weeks))


def _cost_chart(cost: figures.Cost) -> Chart:
    """Return dollars by day; calls where nothing was paid."""
    paid = cost.total.usd > 0
    values = [round(bill.usd, 4) if paid else bill.calls for _, bill in cost.days]
    names = [f"{day.day} {day:%b}" for day, _ in cost.days]
    return stacked([("dollars" if paid else "calls", values)], names, width=560, height=110)
