"""The rules that hold for the answers to every question; an enrichment's page adds its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feedback.validation.batch import (
    ANSWERED_ONCE,
    ANSWERS_FRESH,
    LABEL_DRIFT,
    PACKING_AGREES,
    UNKNOWN_RATE,
    UNQUOTED,
)
from feedback.validation.rule import Rule
from feedback.validation.spending import SPENDING
from feedback.validation.volume import VOLUME

TELLING = 40
"""So many characters of a line tell it from what customers write."""

DECIDERS = ("rule", "cache", "local", "llm", "human")


def answer_rules(
    *,
    labels: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    key: Sequence[str] = ("item_id",),
    prompt: str = "",
    words: Sequence[str] = ("quote",),
) -> tuple[Rule, ...]:
    """Return the rules of an enrichment.

    :param labels: the label set; empty where the answer has no label.
    :param ranges: column to its least and greatest value; NULL is outside of every range.
    :param key: columns that identify a row.
    :param prompt: what no published word may repeat; ``words``: the columns that hold words.
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
        *_prompt_rules(prompt, words),
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
        ANSWERS_FRESH,
        UNKNOWN_RATE,
        LABEL_DRIFT,
        VOLUME,
        *SPENDING,
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


def _prompt_rules(prompt: str, words: Sequence[str]) -> tuple[Rule, ...]:
    lines = [line.strip()[:TELLING] for line in prompt.splitlines() if len(line.strip()) >= TELLING]
    if not lines:
        return ()
    repeats = (f"position({_list([line.lower()])} in lower({column})) > 0" for column in words for line in lines)
    return (
        Rule(
            id="prompt_unrepeated",
            scope="row",
            severity="critical",
            owner="prompts",
            runbook="The answer repeats our prompt: a customer may have told the model to; read the item, drop it.",
            condition=f"not coalesce({' or '.join(repeats)}, false)",
        ),
    )


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
