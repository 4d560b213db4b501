"""The two narrow views that a suite judges, evaluated by the warehouse.

``row_checks`` has a row for each staged row: keys and one boolean per rule. ``run_measures`` has a row for
each slice of each rule about the batch: what was measured against which bound. No text and no quote enters
either, so no finding can quote a customer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.errors import FeedbackError
from feedback.validation.rule import Rule
from feedback.validation.subject import Subject
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


KEYS = ("row_key", "item_id", "content_hash", "prompt_version")
"""What tells a row of ``row_checks`` from another; all else there is a rule."""


@dataclass(frozen=True)
class View:
    """A view's rows, and the rules that raised instead of giving any."""

    table: pa.Table
    broken: frozenset[str]


def row_checks(warehouse: Warehouse, subject: Subject, rules: Sequence[Rule], run_id: str) -> View:
    """Return ``row_key, item_id, content_hash, prompt_version`` and a boolean column named after each rule.

    The keys of a row that keeps every rule are NULL: nobody asks for them, and they would take the most memory.
    """
    with_relations, params = relations(subject, run_id)

    def query(rules: Sequence[Rule]) -> str:
        verdicts = "".join(f", coalesce({rule.condition}, false) as {rule.id}" for rule in rules)
        is_good = " and ".join(["1 = 1", *(rule.id for rule in rules)])
        columns = [f"case when not ({is_good}) then {key} end as {key}" for key in KEYS]
        return (
            f"{with_relations}, checked as (select {subject.row_key} as row_key, {subject.item_id} as item_id,"
            f" {subject.content_hash} as content_hash, {subject.prompt_version} as prompt_version{verdicts}"
            f" from staged) select {', '.join([*columns, *(rule.id for rule in rules)])} from checked"
        )

    return _view(warehouse, query, [rule for rule in rules if rule.scope == "row"], params)


def run_measures(warehouse: Warehouse, subject: Subject, rules: Sequence[Rule], run_id: str) -> View:
    """Return ``rule, slice, failed, measured, bound, n, holds``."""
    with_relations, params = relations(subject, run_id)
    nothing = (
        "select cast(null as varchar) as rule, cast(null as varchar) as slice, cast(null as integer) as failed,"
        " cast(null as double) as measured, cast(null as double) as bound, cast(null as integer) as n,"
        " cast(null as boolean) as holds where 1 = 0"
    )

    def query(rules: Sequence[Rule]) -> str:
        measures = [
            f"select '{rule.id}', slice, cast(failed as integer), cast(measured as double), cast(bound as double),"
            f" cast(n as integer), coalesce({rule.condition}, false) from ({rule.measure}) as {rule.id}"
            for rule in rules
        ]
        return f"{with_relations} " + " union all ".join([nothing, *measures])

    return _view(warehouse, query, [rule for rule in rules if rule.scope == "run"], params)


def proposed(warehouse: Warehouse, subject: Subject, run_id: str) -> int:
    """Return how many items are staged or asked, and rows that go along with them; mostly none."""
    with_relations, params = relations(subject, run_id)
    beside = "".join(f" union all select count(*) as n from staged_{table.name}" for table in subject.tables[1:])
    count = f"select sum(n) as n from (select count(*) as n from judged{beside}) as counted"
    return int(warehouse.rows(f"{with_relations} {count}", params)[0]["n"])


def relations(subject: Subject, run_id: str) -> tuple[str, tuple[Any, ...]]:
    """Return the ``with`` clause that names what rules may speak of, and its values.

    ``staged`` is what the run proposes, ``staged_<table>`` what goes along with it, ``asked`` what it set out
    to ask, ``rejects`` what is set aside already, ``judged`` every item that is staged or asked.
    """
    beside = "".join(
        f", staged_{table.name} as (select * from {table.staged} where run_id = ?)" for table in subject.tables[1:]
    )
    clause = (
        f"with staged as (select * from {subject.judged.staged} where run_id = ?){beside},"
        " asked as (select * from staging.asked where run_id = ? and enrichment = ?),"
        " rejects as (select * from staging.rejects where run_id = ? and subject = ?),"
        f" judged as (select {subject.item_id} as item_id from staged union select item_id from asked)"
    )
    return clause, (*[run_id] * len(subject.tables), run_id, subject.name, run_id, subject.name)


def _view(
    warehouse: Warehouse, query: Callable[[Sequence[Rule]], str], rules: Sequence[Rule], params: Sequence[Any]
) -> View:
    try:
        return View(warehouse.arrow(query(rules), params), frozenset())
    except FeedbackError as error:
        if error.retryable:
            raise
    broken = frozenset(rule.id for rule in rules if not _runs(warehouse, query([rule]), params))
    return View(warehouse.arrow(query([rule for rule in rules if rule.id not in broken]), params), broken)


def _runs(warehouse: Warehouse, sql: str, params: Sequence[Any]) -> bool:
    try:
        warehouse.arrow(sql, params)
    except FeedbackError as error:
        if error.retryable:
            raise
        return False
    return True
