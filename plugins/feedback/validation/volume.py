"""The rule that a batch is about as large as batches usually are."""

from __future__ import annotations

from feedback.validation.rule import Rule

VOLUME = Rule(
    id="volume_usual",
    scope="run",
    severity="warning",
    owner="sources",
    runbook="Five times more or fewer items than usual: ops.loads and ops.coverage say what came twice or not at all.",
    condition="measured <= bound",
    measure="""
        select
            'all' as slice, n as failed, case when runs > 0 then greatest(n / usual, usual / n) end as measured,
            case when runs >= 7 then 5 end as bound, n
        from (
            select
                cast((select count(*) as n from judged) as double) as n, count(*) as runs,
                coalesce(median(total), 1) as usual
            from totals
        ) as counted""",
)
"""Held against the median of the runs of four weeks, of which there have to be seven."""
