"""Runs rules through Great Expectations, and writes them down as its suites.

Great Expectations is imported where it is used: it takes seconds and 200 MB. Nothing of its own lists is
used for setting rows aside: they are cut short, ours are not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.model import Verdict
from feedback.validation.checks import KEYS, View
from feedback.validation.rule import Rule
from feedback.warehouse.base import Standing, Warehouse

if TYPE_CHECKING:
    import great_expectations as gx

WITHOUT_ROWS = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts alone: no finding carries a value."""

NO_KEY = "snowflake://nobody:nothing@account/{database}/{schema}?warehouse=none&role=none"
"""What Great Expectations is told of the connection that it is lent: the place, and nothing that opens it."""

OUTCOMES = {True: "pass", False: "fail", None: "not_enough_history"}


def check(warehouse: Warehouse, rows: View, measures: View, rules: Sequence[Rule]) -> list[Verdict]:
    """Return one verdict for each row rule and for each slice of each run rule."""
    context = _quiet_context()
    found = _validate(context, warehouse, "row_checks", rows, [rule for rule in rules if rule.scope == "row"])
    found |= _validate(context, warehouse, "run_measures", measures, [rule for rule in rules if rule.scope == "run"])
    slices = measures.table.to_pylist()
    verdicts = []
    for rule in rules:
        if found[rule.id].failed is None:
            verdicts.append(Verdict(rule.id, rule.severity, "error", 0, found[rule.id].total))
        elif rule.scope == "row":
            verdicts.append(_of_rows(rule, found[rule.id]))
        else:
            verdicts += [_of_slice(rule, row) for row in slices if row["rule"] == rule.id]
    return verdicts


def exported(name: str, rules: Sequence[Rule]) -> str:
    """Return the rules as JSON of a Great Expectations suite: what a reviewer sees of a changed rule."""
    suite = _suite(name, rules).to_json_dict()
    return json.dumps(suite, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _of_rows(rule: Rule, found: _Found) -> Verdict:
    return Verdict(rule.id, rule.severity, "fail" if found.failed else "pass", found.failed or 0, found.total)


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


def _validate(context: Any, warehouse: Warehouse, name: str, view: View, rules: Sequence[Rule]) -> dict[str, _Found]:
    """Return for each rule how many rows of the view broke it."""
    if not rules:
        return {}
    suite = _suite(name, [rule for rule in rules if rule.id not in view.broken])
    with warehouse.standing(name, *view.query) as standing:
        batch = _in_place(context, name, standing) if standing else _handed(context, name, view)
        report = batch.validate(suite, result_format=WITHOUT_ROWS)
    found = {result.expectation_config.meta["rule"]: _Found.of(result) for result in report.results}
    return {rule.id: found.get(rule.id, _Found(None, view.table.num_rows)) for rule in rules}


@dataclass(frozen=True)
class _Found:
    """How many of how many rows broke a rule; None where it raised instead."""

    failed: int | None
    total: int

    @classmethod
    def of(cls, result: Any) -> _Found:
        """Read a result; an expectation that raised looks like one that failed, but has counted nothing."""
        counts = result.result
        if "unexpected_count" not in counts:
            return cls(None, 0)
        return cls(int(counts["unexpected_count"] or 0), int(counts["element_count"]))


def _handed(context: Any, name: str, view: View) -> Any:
    """Return the view's rows as a batch: nobody but us may read a DuckDB file."""
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    # Keys stay behind: no rule is about them.
    frame = view.table.drop_columns([key for key in KEYS if key in view.table.column_names]).to_pandas()
    return asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": frame})


def _in_place(context: Any, name: str, standing: Standing) -> Any:
    """Return the view as a batch that stays in Snowflake. The connection is ours, so no key reaches the suite."""
    from sqlalchemy.pool import StaticPool

    source = context.data_sources.add_snowflake(
        name,
        connection_string=NO_KEY.format(database=standing.database, schema=standing.schema),
        create_temp_table=False,
        kwargs={"creator": standing.connect, "poolclass": StaticPool},
    )
    asset = source.add_table_asset(name, table_name=standing.name, schema_name=standing.schema)
    return asset.add_batch_definition_whole_table(name).get_batch()


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
