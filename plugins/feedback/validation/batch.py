"""The rules about a batch of answers as a whole: complete, timely, and much like the batches before it."""

from __future__ import annotations

from feedback.validation.rule import NOTHING, Rule

UNQUOTED = ("neutral", "other", "unknown")
"""Labels that say that nothing was found, so there may be nothing to quote."""

LEAST_AGREEMENT, ENOUGH_CHECKS = 0.9, 50
"""Of answers given in a pack and alone: below this over so many rows, packs are too large."""

ANSWERED_ONCE = Rule(
    id="answered_once",
    scope="run",
    severity="critical",
    owner="pipeline",
    runbook="An item was lost, doubled, invented or answered for another text: file a bug, then ask the batch again.",
    condition="measured <= bound",
    measure="""
        select 'all' as slice, failed, failed as measured, 0 as bound, n
        from (
            select
                sum(
                    case
                        when a.times = 1 and a.outcome = 'staged' and a.rows_out = coalesce(s.times, 0)
                            and (s.times is null or (s.questions = 1 and s.question = a.question)) then 0
                        when a.times = 1 and a.outcome in ('quarantined', 'pending') and s.times is null then 0
                        else 1
                    end
                ) as failed,
                count(*) as n
            from (
                select
                    item_id, count(*) as times, min(outcome) as outcome, min(rows_out) as rows_out,
                    min(content_hash || ' ' || prompt_version) as question
                from asked group by item_id
            ) as a
            full join (
                select
                    item_id, count(*) as times, count(distinct content_hash || ' ' || prompt_version) as questions,
                    min(content_hash || ' ' || prompt_version) as question
                from staged group by item_id
            ) as s on s.item_id = a.item_id
        ) as pairs""",
)
"""Each asked pair is answered or set aside, once, and nothing else is staged."""

PACKING_AGREES = Rule(
    id="packing_agrees",
    scope="run",
    severity="warning",
    owner="prompts",
    runbook="Rows that share a request are answered otherwise than alone: packs shrink; shorten the prompt.",
    condition="measured >= bound",
    measure=f"""
        select
            'all' as slice, round(n * (1 - agreement)) as failed, agreement as measured,
            case when n >= {ENOUGH_CHECKS} then {LEAST_AGREEMENT} end as bound, n
        from (
            select coalesce(avg(agreement), 1) as agreement, count(*) as n
            from (
                select checks.agreement
                from ops.pack_checks as checks
                join (select distinct enrichment, prompt_version, model from asked) as mine
                    on mine.enrichment = checks.enrichment and mine.prompt_version = checks.prompt_version
                    and mine.model = checks.model
                qualify row_number() over (order by checks.checked_at desc) <= 200
            ) as newest
        ) as counted""",
)
"""Answers given beside other rows are those given alone, as far as this has been checked."""

ANSWERS_FRESH = Rule(
    id="answers_fresh",
    scope="run",
    severity="warning",
    owner="pipeline",
    runbook="Answers waited for more than a day before they were judged: see since when the run hangs; clear it.",
    condition="measured <= bound",
    measure="""
        select 'all' as slice, n as failed, hours as measured, 26 as bound, n
        from (
            select
                count(*) as n,
                datediff('hour', max(answered_at), cast(current_timestamp as timestamp_ntz)) as hours
            from staged
        ) as counted
        where n > 0""",
)
"""What is judged was answered just now; the Batch API may take a day."""

UNKNOWN_RATE = Rule(
    id="unknown_rate",
    scope="run",
    severity="warning",
    owner="prompts",
    runbook="More items than usual are labelled as nothing in particular: read twenty of them, then the prompt.",
    condition="measured <= bound",
    measure=f"""
        select
            'all' as slice, unknown as failed, unknown / n as measured,
            case when n >= 30 and past_n >= 200 then usual + greatest(0.05, 3 * sqrt(usual * (1 - usual) / n)) end
                as bound,
            n
        from (
            select
                cast(count_if(is_fresh) as double) as n,
                count_if(is_fresh and is_unknown) as unknown,
                count_if(not is_fresh) as past_n,
                count_if(not is_fresh and is_unknown) / greatest(count_if(not is_fresh), 1.0) as usual
            from (
                select item_id, true as is_fresh, min(label) in {(NOTHING, *UNQUOTED)} as is_unknown
                from fresh group by item_id
                union all
                select item_id, false as is_fresh, min(label) in {(NOTHING, *UNQUOTED)} as is_unknown
                from past group by item_id
            ) as items
        ) as counted
        where n > 0""",
)
"""No more items than in the four weeks before are answered by a shrug; the bound leaves room for chance."""

LABEL_DRIFT = Rule(
    id="label_drift",
    scope="run",
    severity="warning",
    owner="prompts",
    runbook="Labels are given otherwise than in the weeks before: see whether customers changed, or the model.",
    condition="measured <= bound",
    measure="""
        select
            source as slice, n as failed, case when past_n > 0 then psi end as measured,
            case
                when n >= 50 and past_n >= 200 then greatest(
                    0.2, df * power(1 - 2.0 / (9 * df) + 3.09 * sqrt(2.0 / (9 * df)), 3) * (1.0 / n + 1.0 / past_n)
                )
            end as bound,
            n
        from (
            select
                source, max(n) as n, max(past_n) as past_n, greatest(count(*) - 1, 1) as df,
                sum((share - past_share) * ln(share / past_share)) as psi
            from (
                select
                    source, n, past_n, (times + 0.5) / (n + 0.5 * kinds) as share,
                    (past_times + 0.5) / (past_n + 0.5 * kinds) as past_share
                from (
                    select
                        source, times, past_times, count(*) over (partition by source) as kinds,
                        sum(times) over (partition by source) as n,
                        sum(past_times) over (partition by source) as past_n
                    from (
                        select source, label, sum(is_fresh) as times, sum(1 - is_fresh) as past_times
                        from (
                            select source, label, 1 as is_fresh from fresh
                            union all
                            select source, label, 0 as is_fresh from past
                        ) as labels
                        group by source, label
                    ) as counted
                ) as summed
            ) as shares
            group by source
        ) as measured
        where n > 0""",
)
"""Population stability index by source: 0.2, or what chance alone exceeds once in a thousand batches of this size."""
