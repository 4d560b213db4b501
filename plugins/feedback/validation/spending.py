"""The rules about what a batch of answers cost."""

from __future__ import annotations

from feedback.validation.rule import Rule


def _usual_rule(name: str, what: str, per_row: str, most: float, runbook: str) -> Rule:
    """Return the rule that a row costs at most so many times what it has cost in four weeks.

    A request of few rows pays its instructions for few, so only a batch of many can be compared.
    """
    return Rule(
        id=name,
        scope="run",
        severity="warning",
        owner="prompts",
        runbook=runbook,
        condition="measured <= bound",
        measure=f"""
            select
                model as slice, n as failed, spent / n as measured,
                case when n >= 100 and past_n >= 500 then {most} * past_spent / past_n end as bound, n
            from (
                select
                    model, sum(case when is_mine then row_count else 0 end) as n,
                    sum(case when is_mine then {what} else 0 end) as spent,
                    sum(case when is_mine then 0 else row_count end) as past_n,
                    sum(case when is_mine then 0 else {what} end) as past_spent
                from (
                    select calls.model, calls.row_count, {per_row}, calls.run_id = this_run.run_id as is_mine
                    from ops.llm_calls as calls
                    cross join this_run
                    where calls.purpose = 'enrich' and calls.status = 'settled'
                        and calls.started_at >= cast(current_timestamp as timestamp_ntz) - interval '28 days'
                ) as paid
                group by model
            ) as counted
            where n > 0""",
    )


def budget_rule(run_usd: float, day_usd: float) -> Rule:
    """Return the rule that neither the run nor its UTC day has spent more than it may."""
    return Rule(
        id="budget_kept",
        scope="run",
        severity="critical",
        owner="pipeline",
        runbook="More was spent than the hard limit allows: stop asking (FEEDBACK_LLM_MODE=offline) and file a bug.",
        condition="measured <= bound",
        measure=f"""
            select 'run' as slice, count(*) as failed, coalesce(sum(cost_usd), 0) as measured,
                {run_usd} + 0.000001 as bound, count(*) as n
            from calls
            union all
            select 'day' as slice, count(*) as failed, coalesce(sum(cost_usd), 0) as measured,
                {day_usd} + 0.000001 as bound, count(*) as n
            from ops.llm_calls
            where cast(started_at as date) in (select cast(max(started_at) as date) from calls)""",
    )


BUDGET_SUFFICED = Rule(
    id="budget_sufficed",
    scope="run",
    severity="warning",
    owner="pipeline",
    runbook="The budget ended before the questions: the rest goes first in the next run; `make plan` says its price.",
    condition="measured <= bound",
    measure="""
        select 'all' as slice, unasked as failed, unasked as measured, 0 as bound, n
        from (
            select count_if(outcome = 'pending' and reason = 'budget') as unasked, count(*) as n from asked
        ) as counted""",
)

SPENDING = (
    BUDGET_SUFFICED,
    _usual_rule(
        "cost_per_row",
        "cost_usd",
        "calls.cost_usd",
        2.0,
        "A row costs twice what it did: see the model and price in ops.llm_calls, and how many rows share a request.",
    ),
    _usual_rule(
        "tokens_per_row",
        "tokens",
        "calls.input_tokens + calls.output_tokens as tokens",
        1.5,
        "A row takes half as many tokens again: see whether prompt, texts or answers grew, and how packs are filled.",
    ),
)
