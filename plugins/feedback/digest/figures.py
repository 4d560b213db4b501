"""What a report tells about the data: where it came from, what was checked, set aside, unread, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedback.digest.runs import DagRun
from feedback.warehouse.base import Warehouse

Row = dict[str, Any]
MOST_ROWS = 20
MOST_DAYS = 30

SOURCES = """
    select i.source, count(*) as n, avg(i.rating) as stars, max(i.last_activity_at) as newest,
        sum(case when i.is_unanswered = true then 1 else 0 end) as unanswered,
        count(s.item_id) as labelled, sum(case when s.label = 'negative' then 1 else 0 end) as negative
    from feedback.items i
    left join feedback.sentiment s on s.item_id = i.item_id
    group by i.source
    order by n desc, i.source
"""
RULES = """
    select subject, rule, slice, severity, outcome, failed, total, measured, bound, decision, run_id
    from ops.validations
    qualify run_id = first_value(run_id) over (partition by subject order by checked_at desc, run_id desc)
    order by subject, case outcome when 'fail' then 0 when 'error' then 0 else 1 end, rule, slice
"""
SET_ASIDE = """
    select subject, rule, severity, max(reason) as reason, count(*) as n
    from ops.quarantine
    where status = 'open'
    group by subject, rule, severity
    order by n desc, subject, rule
"""
SET_ASIDE_ROWS = """
    select q.subject, q.rule, q.item_id, i.permalink
    from ops.quarantine as q
    left join feedback.items as i on i.item_id = q.item_id
    where q.status = 'open'
    qualify row_number() over (partition by q.subject, q.rule order by q.item_id) <= 5
    order by q.subject, q.rule, q.item_id
"""
COVERAGE = """
    select source, part, status, detail, row_count
    from ops.coverage
    order by case status when 'failed' then 0 when 'refused' then 1 else 2 end, source, part, reason
"""
NAMED = """
    select coalesce(canonical_name, norm) as name, kind, count(distinct item_id) as n,
        max(case when is_competitor then 1 else 0 end) as is_competitor
    from feedback.mentions_resolved
    group by 1, 2
    order by n desc, name, kind
    limit 12
"""
CALLS = """
    select cast(started_at as date) as day, run_id, count(*) as calls, sum(cost_usd) as usd,
        sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
        sum(case when status in ('failed', 'lost') then 1 else 0 end) as failed,
        sum(case when mode = 'offline' or model = 'offline' then 1 else 0 end) as offline
    from ops.llm_calls
    group by 1, 2
    order by 1, 2
"""
ANSWERS = "select count(*) as n from ops.answers where status = 'answered'"
MODELS = """
    select model from feedback.sentiment where model is not null
    union select model from feedback.intent where model is not null
    union select model from feedback.area where model is not null
    union select model from feedback.mentions where model is not null
    order by model
"""


@dataclass(frozen=True)
class Gate:
    """The newest verdict on one subject, worst rule first."""

    subject: str
    decision: str
    rules: tuple[Row, ...]

    @property
    def is_blocked(self) -> bool:
        """Whether nothing of it was published."""
        return self.decision == "block"

    @property
    def passed(self) -> int:
        """How many rules held."""
        return sum(rule["outcome"] == "pass" for rule in self.rules)

    @property
    def judged(self) -> int:
        """How many rules had history enough to hold or not."""
        return sum(rule["outcome"] != "not_enough_history" for rule in self.rules)


@dataclass(frozen=True)
class Bill:
    """What some calls cost."""

    calls: int = 0
    usd: float = 0.0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    failed: int = 0
    offline: int = 0


@dataclass(frozen=True)
class Cost:
    """What was paid: by these runs, in all, by day; per 1,000 answers where there are any."""

    this_run: Bill
    total: Bill
    days: tuple[tuple[Any, Bill], ...]
    per_thousand: float | None


def gates(warehouse: Warehouse) -> list[Gate]:
    """Return the newest verdict on every subject, blocked ones first."""
    by_subject: dict[str, list[Row]] = {}
    for row in warehouse.rows(RULES):
        by_subject.setdefault(row["subject"], []).append(row)
    found = [Gate(subject, _decision(rows), tuple(rows)) for subject, rows in by_subject.items()]
    return sorted(found, key=lambda gate: (not gate.is_blocked, gate.subject))


def cost(warehouse: Warehouse, runs: Sequence[DagRun]) -> Cost:
    """Add up the calls."""
    rows = warehouse.rows(CALLS)
    ids = {run.run_id for run in runs}
    total = _bill(rows)
    answers = warehouse.rows(ANSWERS)[0]["n"]
    days = sorted({row["day"] for row in rows})[-MOST_DAYS:]
    return Cost(
        this_run=_bill([row for row in rows if row["run_id"] in ids]),
        total=total,
        days=tuple((day, _bill([row for row in rows if row["day"] == day])) for day in days),
        per_thousand=1000 * total.usd / answers if answers else None,
    )


def _decision(rows: Sequence[Row]) -> str:
    return "block" if any(row["decision"] == "block" for row in rows) else "publish"


def _bill(rows: Sequence[Row]) -> Bill:
    return Bill(**{name: sum(row[name] or 0 for row in rows) for name in Bill.__dataclass_fields__})
