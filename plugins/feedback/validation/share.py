"""The rule that too much set aside is no longer bad rows but a bad batch."""

from __future__ import annotations

from feedback.validation.rule import SHARE, Rule

A_FEW = 3
"""So many items may always be set aside: of five answers one bad one is a fifth, and no reason to stop."""


def share_rule(most: float) -> Rule:
    """Return the rule that at most this share of a run's items, or a few where they are few, is set aside."""
    return Rule(
        id=SHARE,
        scope="run",
        severity="critical",
        owner="prompts",
        runbook="Too many items broke a rule: mend what the other findings name, then ask the batch again.",
        condition="measured <= bound",
        measure=f"""
            select
                'all' as slice, failed, failed / n as measured,
                greatest({most}, {A_FEW}.0 / n) as bound, n
            from (
                select count(r.item_id) as failed, cast(count(*) as double) as n
                from judged
                left join (select distinct item_id from rejects) as r on r.item_id = judged.item_id
            ) as counted
            where n > 0""",
    )
