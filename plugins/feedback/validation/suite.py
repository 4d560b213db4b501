"""Runs rules through Great Expectations, and writes them down as its suites.

Great Expectations is imported where it is used: it takes seconds and 200 MB. Nothing of its own lists is
used for setting rows aside: they are cut short, ours are not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feedback.model import Verdict
from feedback.validation.checks import KEYS, View
from feedback.validation.rule import Rule

if TYPE_CHECKING:
    import great_expectations as gx

WITHOUT_ROWS = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts alone: no finding carries a value."""

OUTCOMES = {True: "pass", False: "fail", None: "not_enough_history"}


def check(rows: View, measures: View, rules: Sequence[Rule]) -> list[Verdict]:
    """Return one verdict for each row rule and for each slice of each run rule."""
    context = _quiet_context()
    results = {
        **_validate(context, "row_checks", rows, [rule for rule in rules if rule.scope == "row"]),
        **_validate(context, "run_measures", measures, [rule for rule in rules if rule.scope == "run"]),
    }
    slices = measures.table.to_pylist()
    verdicts = []
    for rule in rules:
        if results[rule.id] == "error":
            verdicts.append(Verdict(rule.id, rule.severity, "error", 0, rows.table.num_rows))
        elif rule.scope == "row":
            verdicts.append(_of_rows(rule, results[rule.id], rows.table.num_rows))
        else:
            verdicts += [_of_slice(rule, row) for row in slices if row["rule"] == rule.id]
    return verdicts


def exported(name: str, rules: Sequence[Rule]) -> str:
    """Return the rules as JSON of a Great Expectations suite: what a reviewer sees of a changed rule."""
    suite = _suite(name, rules).to_json_dict()
    return json.dumps(suite, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _of_rows(rule: Rule, failed: int, total: int) -> Verdict:
    return Verdict(rule.id, rule.severity, "fail" if failed else "pass", failed, total)


def _of_slice(rule: Rule, row: dict[str, Any]) -> Verdict:
    return Verdict(
        rule=rule.id,
        severity=rule.severity,
        outcome=OUTCOMES[row["holds"]],
        failed=row["failed"] if row["holds"] is False else 0,
        total=row["n"],
        slice=row["slice"],
        measured=row["measured"],
        bound=row["bound"],
    )


def _validate(context: Any, name: str, view: View, rules: Sequence[Rule]) -> dict[str, Any]:
    """Return for each rule how many rows of the view broke it, or ``error``."""
    if not rules:
        return {}
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    # Keys stay behind: no rule is about them.
    frame = view.table.drop_columns([key for key in KEYS if key in view.table.column_names]).to_pandas()
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})
    report = batch.validate(_suite(name, rules), result_format=WITHOUT_ROWS)
    found = {result.expectation_config.meta["rule"]: result for result in report.results}
    return {rule.id: "error" if rule.id in view.broken else _failed(found[rule.id]) for rule in rules}


def _failed(result: Any) -> Any:
    """Return the count of failures; ``error`` for an expectation that raised, which looks like a failed one."""
    count = result.result.get("unexpected_count")
    return "error" if count is None else int(count)


def _suite(name: str, rules: Sequence[Rule]) -> gx.ExpectationSuite:
    import great_expectations as gx

    return gx.ExpectationSuite(name=name, expectations=[_expectation(rule) for rule in rules])


def _expectation(rule: Rule) -> gx.expectations.Expectation:
    """Return the expectation that the rule holds wherever it was evaluated."""
    import great_expectations as gx
    from great_expectations.expectations.row_conditions import Column

    about = {
        "rule": rule.id,
        "scope": rule.scope,
        "owner": rule.owner,
        "runbook": rule.runbook,
        "condition": rule.condition,
    }
    where: dict[str, Any] = {"column": rule.id}
    if rule.scope == "run":
        where = {"column": "holds", "row_condition": Column("rule") == rule.id}
        about["measure"] = " ".join(rule.measure.split())
    return gx.expectations.ExpectColumnValuesToBeInSet(**where, value_set=[True], severity=rule.severity, meta=about)


def _quiet_context() -> Any:
    # Before the import, which logs 150 lines of its own doings.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types import base

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(),
        progress_bars=base.ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)
