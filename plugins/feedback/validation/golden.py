"""The rules about who answers: an approved prompt and model, as right about golden items as what is published.

Golden items are asked beside the batch and stand in ``ops.golden_answers``; the batch itself is not what they judge.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.validation.bar import ENOUGH
from feedback.validation.rule import Rule
from feedback.validation.scores import Labels, Share, wilson
from feedback.validation.subject import Subject
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

Pair = tuple[str, str]
"""A prompt version and a model."""

UNUSABLE: Labels = frozenset({"(no answer)"})
"""What an answer says that could not be used: never what is right."""

PAIRS = (
    "select distinct prompt_version, model from staging.asked where enrichment = ? and run_id = ? and model is not null"
)
PUBLISHED = """
    select prompt_version, model from {table} where model is not null and decided_by <> 'human'
    group by prompt_version, model order by count(*) desc, prompt_version, model limit 1
"""


@dataclass(frozen=True)
class Standing:
    """How right a model is about golden items in one wording of a question.

    :param bound: the least that ``share.low`` may be; None where nothing may be demanded.
    """

    model: str
    items: int
    right: int
    share: Share
    bound: float | None

    @property
    def holds(self) -> bool:
        return self.bound is None or self.share.low >= self.bound


def standing(warehouse: Warehouse, subject: Subject, now: Pair) -> Standing | None:
    """Return where a prompt and a model stand; None where they have answered no golden item.

    Without a number to reach they are held to what gave most of the published answers, about the items that both
    were asked.
    """
    right = _right(warehouse, subject, now)
    if not right:
        return None
    _, model = now
    before: dict[str, bool] = {}
    if model not in subject.bar.least:
        found = warehouse.rows(PUBLISHED.format(table=subject.judged.published))
        published = [(row["prompt_version"], row["model"]) for row in found]
        before = _right(warehouse, subject, published[0]) if published and published[0] != now else {}
    both = right.keys() & before.keys()
    items = both if len(both) >= ENOUGH else right.keys()
    was = wilson(sum(before[item] for item in both), len(both)) if items == both else None
    hits = sum(right[item] for item in items)
    return Standing(model, len(items), hits, wilson(hits, len(items)), subject.bar.height(model, len(items), was))


def standings(warehouse: Warehouse, subject: Subject, run_id: str) -> pa.Table:
    """Return ``slice, failed, measured, bound, n`` of each prompt and model that answered in a run."""
    import pyarrow as pa

    pairs = [(row["prompt_version"], row["model"]) for row in warehouse.rows(PAIRS, (subject.name, run_id))]
    found = [one for pair in sorted(pairs) if (one := standing(warehouse, subject, pair))]
    return pa.table(
        {
            "slice": pa.array([one.model for one in found], pa.string()),
            "failed": pa.array([one.items - one.right for one in found], pa.int64()),
            "measured": pa.array([one.share.low for one in found], pa.float64()),
            "bound": pa.array([one.bound for one in found], pa.float64()),
            "n": pa.array([one.items for one in found], pa.int64()),
        }
    )


def right_answers(warehouse: Warehouse, subject: Subject, unheard: Collection[str] = ()) -> dict[str, Labels]:
    """Return by item the right labels, folded as the subject compares them.

    :param unheard: authors that do not count.
    """
    found = warehouse.rows("select item_id, answer, author from ops.golden where enrichment = ?", (subject.name,))
    return {row["item_id"]: labels(subject, row["answer"]) for row in found if row["author"] not in unheard}


def given_answers(warehouse: Warehouse, subject: Subject, pair: Pair) -> dict[str, Labels]:
    """Return by golden item what a prompt and a model answered, folded as the subject compares it."""
    found = warehouse.rows(
        "select item_id, answer from ops.golden_answers where enrichment = ? and prompt_version = ? and model = ?",
        (subject.name, *pair),
    )
    return {row["item_id"]: labels(subject, row["answer"]) if row["answer"] else UNUSABLE for row in found}


def labels(subject: Subject, answer: str) -> Labels:
    """Return what an answer says: a label, labels or names, JSON."""
    said: Any = json.loads(answer)
    several = said if isinstance(said, list) else [said]
    return frozenset(subject.fold(one["surface"] if isinstance(one, dict) else one) for one in several)


def _right(warehouse: Warehouse, subject: Subject, pair: Pair) -> dict[str, bool]:
    """Return of each golden item that counts and was answered whether it was answered right."""
    wanted = right_answers(warehouse, subject, subject.bar.unheard)
    given = given_answers(warehouse, subject, pair)
    return {item: given[item] == wanted[item] for item in sorted(wanted.keys() & given.keys())}


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


GOLDEN_HOLDS = Rule(
    id="golden_holds",
    scope="run",
    severity="critical",
    owner="prompts",
    runbook="Golden items are answered worse than before: `make eval` shows which; mend the prompt or the model.",
    condition="measured >= bound",
    measure="select slice, failed, measured, bound, n from incoming.golden",
)
"""With 97.5 % confidence (Wilson) as large a share of golden answers is met as ``include/approved.py`` demands."""
