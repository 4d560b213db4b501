"""The rules that hold for the answers to every question; an enrichment's page adds its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feedback.validation.rule import Rule

DECIDERS = ("rule", "cache", "local", "llm", "human")
UNQUOTED = ("neutral", "other", "unknown")
"""Labels that say that nothing was found, so there may be nothing to quote."""


def answer_rules(
    *,
    labels: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    key: Sequence[str] = ("item_id",),
) -> tuple[Rule, ...]:
    """Return the rules of an enrichment.

    :param labels: the label set; empty where the answer has no label.
    :param ranges: column to its least and greatest value; NULL is outside of every range.
    :param key: columns that identify a row.
    """
    return (
        Rule(
            id="key_unique",
            scope="row",
            severity="critical",
            owner="pipeline",
            runbook="Two rows share a key: look for a question asked twice in one run, then ask these items again.",
            condition=f"count(*) over (partition by {', '.join(key)}) = 1",
        ),
        *_label_rules(labels),
        *(_range_rule(column, *bounds) for column, bounds in (ranges or {}).items()),
        Rule(
            id="quote_grounded",
            scope="row",
            severity="critical",
            owner="prompts",
            runbook="The quote is not in the text that was asked: read the prompt's words on quoting, ask again.",
            condition="quote is null or is_grounded",
        ),
        Rule(
            id="personal_data_absent",
            scope="row",
            severity="critical",
            owner="pipeline",
            runbook="An address, phone or card number slipped past masking: add its shape to the redaction, ask again.",
            condition="not has_personal_data",
        ),
        Rule(
            id="lineage_complete",
            scope="row",
            severity="critical",
            owner="pipeline",
            runbook="An answer does not say who gave it, to which text and when: a fault of the asking task.",
            condition=(
                "item_id is not null and content_hash is not null and prompt_version is not null"
                f" and decided_by in ({_list(DECIDERS)}) and (model is not null or decided_by in ('rule', 'human'))"
                " and engine_version is not null and answered_at is not null"
            ),
        ),
        ANSWERED_ONCE,
        PACKING_AGREES,
    )


def _label_rules(labels: Sequence[str]) -> tuple[Rule, ...]:
    if not labels:
        return ()
    known = Rule(
        id="label_known",
        scope="row",
        severity="critical",
        owner="prompts",
        runbook="The model invented a label: see that prompt and answer type name the same set, ask again.",
        condition=f"label in ({_list(labels)})",
    )
    quoted = Rule(
        id="quote_given",
        scope="row",
        severity="critical",
        owner="prompts",
        runbook="A label came without the words that show it: tighten the prompt's words on quoting, ask again.",
        condition=f"quote is not null or label in ({_list(UNQUOTED)})",
    )
    return known, quoted


def _range_rule(column: str, least: float, most: float) -> Rule:
    return Rule(
        id=f"{column}_in_range",
        scope="row",
        severity="critical",
        owner="prompts",
        runbook=f"{column} is absent or outside {least} to {most}: see the bounds in the answer type, ask again.",
        condition=f"{column} between {least} and {most}",
    )


def _list(words: Sequence[str]) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in words)


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
    measure="""
        select 'all' as slice, round(n * (1 - agreement)) as failed, agreement as measured, 0.9 as bound, n
        from (
            select avg(agreement) as agreement, count(*) as n
            from (
                select checks.agreement
                from ops.pack_checks as checks
                join (select distinct enrichment, prompt_version, model from asked) as mine
                    on mine.enrichment = checks.enrichment and mine.prompt_version = checks.prompt_version
                    and mine.model = checks.model
                qualify row_number() over (order by checks.checked_at desc) <= 200
            ) as newest
        ) as counted
        where n >= 50""",
)
"""Answers given beside other rows are those given alone, as far as this has been checked."""
