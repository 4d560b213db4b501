"""The rules about who answers: an approved prompt and model, as right about golden items as was measured before.

Golden items are judged where they were asked, in this run or before it by the same prompt and model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from feedback.validation.rule import Rule
from feedback.validation.subject import Subject
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

ENOUGH = 50
"""So many golden items have to be answered before they decide anything."""


def right_answers(warehouse: Warehouse, subject: Subject) -> pa.Table:
    """Return ``item_id, answer`` of the golden answers to a question, each as one string of its labels in order."""
    import pyarrow as pa

    found = warehouse.rows("select item_id, answer from ops.golden where enrichment = ?", (subject.name,))
    answers = [_joined(json.loads(row["answer"]), subject.fold) for row in found]
    columns = {"item_id": [row["item_id"] for row in found], "answer": answers}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _joined(answer: Any, fold: Callable[[str], str]) -> str:
    labels = answer if isinstance(answer, list) else [answer]
    return "|".join(sorted({fold(label["surface"] if isinstance(label, dict) else label) for label in labels}))


def approved_rule(prompt_version: str, models: Collection[str]) -> Rule:
    """Return the rule that answers come from the approved prompt and an approved model, a rule or a person."""
    known = ", ".join(f"'{model}'" for model in sorted(models))
    return Rule(
        id="asked_as_approved",
        scope="run",
        severity="warning",
        owner="prompts",
        runbook="Prompt or model is not in include/approved.py: run `make eval`, read the flips, then write it there.",
        condition="measured <= bound",
        measure=f"""
            select coalesce(model, 'rule') || ' ' || prompt_version as slice, strange as failed, strange as measured,
                0 as bound, n
            from (
                select
                    model, prompt_version, count(*) as n,
                    count_if(prompt_version <> '{prompt_version}' or coalesce(model, 'rule') not in ('rule', {known}))
                        as strange
                from asked where outcome = 'staged' group by model, prompt_version
            ) as counted""",
    )


def golden_rule(least: Mapping[str, float]) -> Rule:
    """Return the rule that at least this share of golden answers is met, with 97.5 % confidence (Wilson).

    :param least: by model; where a model is not listed its share is measured and decides nothing.
    """
    bars = " ".join(f"when '{model}' then {share}" for model, share in sorted(least.items()))
    bar = f"case model {bars} end" if bars else "cast(null as double)"
    return Rule(
        id="golden_holds",
        scope="run",
        severity="critical",
        owner="prompts",
        runbook="Golden items are answered worse than approved: `make eval` shows which; mend the prompt or the model.",
        condition="measured >= bound",
        measure=f"""
            select
                model as slice, n - agreed as failed,
                (share + 1.9208 / n - 1.96 * sqrt(share * (1 - share) / n + 0.9604 / (n * n))) / (1 + 3.8416 / n)
                    as measured,
                case when n >= {ENOUGH} then {bar} end as bound, n
            from (
                select
                    model, cast(count(*) as double) as n, count_if(is_right) as agreed,
                    count_if(is_right) / cast(count(*) as double) as share
                from (
                    select
                        said.item_id, said.model,
                        max(golden.answer) = coalesce(listagg(said.label, '|') within group (order by said.label), '')
                            as is_right
                    from said
                    join incoming.golden as golden on golden.item_id = said.item_id
                    where said.model in (select model from asked)
                    group by said.item_id, said.model
                ) as answers
                group by model
            ) as counted""",
    )
