"""The two narrow views that a suite judges, evaluated by the warehouse.

``row_checks`` has a row for each staged row: keys and one boolean per rule. ``run_measures`` has a row for
each slice of each rule about the batch: what was measured against which bound. No text and no quote enters
either, so no finding can quote a customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from feedback.errors import FeedbackError, WarehouseError
from feedback.validation.golden import standings
from feedback.validation.relations import relations
from feedback.validation.rule import Rule
from feedback.validation.subject import Subject
from feedback.warehouse.base import Relation, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


KEYS = ("row_key", "item_id", "content_hash", "prompt_version")
"""What tells a row of ``row_checks`` from another; all else there is a rule."""


@dataclass(frozen=True)
class View:
    """A view, and the rules that raised instead of giving any.

    :param query: its SQL, the values and the relations that it needs.
    :param table: its rows; of ``row_checks`` in a warehouse far away only those that break a rule.
    """

    query: tuple[str, Sequence[Any], Mapping[str, Relation]]
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

    return _view(warehouse, query, [rule for rule in rules if rule.scope == "row"], params, {}, is_narrow=True)


def run_measures(warehouse: Warehouse, subject: Subject, rules: Sequence[Rule], run_id: str) -> View:
    """Return ``rule, slice, failed, measured, bound, n, holds``; ``holds`` is NULL where history is too short."""
    with_relations, params = relations(subject, run_id)
    nothing = (
        "select cast(null as varchar) as rule, cast(null as varchar) as slice, cast(null as integer) as failed,"
        " cast(null as double) as measured, cast(null as double) as bound, cast(null as integer) as n,"
        " cast(null as boolean) as holds where 1 = 0"
    )

    def query(rules: Sequence[Rule]) -> str:
        # Engines add up floats in orders of their own, so the last digits differ.
        measures = [
            f"select '{rule.id}', slice, cast(failed as integer), round(cast(measured as double), 9),"
            f" round(cast(bound as double), 9), cast(n as integer),"
            f" case when bound is not null then coalesce({rule.condition}, false) end"
            f" from ({rule.measure}) as {rule.id}"
            for rule in rules
        ]
        return f"{with_relations} " + " union all ".join([nothing, *measures])

    golden = {"golden": standings(warehouse, subject, run_id)} if subject.kind == "answers" else {}
    return _view(warehouse, query, [rule for rule in rules if rule.scope == "run"], params, golden)


def proposed(warehouse: Warehouse, subject: Subject, run_id: str) -> int:
    """Return how many items are staged or asked, and rows that go along with them; mostly none."""
    with_relations, params = relations(subject, run_id)
    beside = "".join(f" union all select count(*) as n from staged_{table.name}" for table in subject.tables[1:])
    count = f"select sum(n) as n from (select count(*) as n from judged{beside}) as counted"
    return int(warehouse.rows(f"{with_relations} {count}", params)[0]["n"])


def _view(
    warehouse: Warehouse,
    query: Callable[[Sequence[Rule]], str],
    rules: Sequence[Rule],
    params: Sequence[Any],
    incoming: Mapping[str, Relation],
    is_narrow: bool = False,
) -> View:
    def tried(rules: Sequence[Rule]) -> pa.Table | None:
        sql = query(rules)
        if is_narrow and warehouse.engine != "duckdb":
            sql = f"select * from ({sql}) as checks where row_key is not null"
        try:
            return warehouse.arrow(sql, params, incoming)
        except FeedbackError as error:
            if error.retryable:
                raise
            return None

    sound = list(rules)
    if (table := tried(sound)) is None:
        sound = [rule for rule in rules if tried([rule]) is not None]
        table = tried(sound)
    if table is None:
        raise WarehouseError("the rules of a suite cannot be judged together, though each can: file a bug")
    broken = frozenset(rule.id for rule in rules if rule not in sound)
    return View((query(sound), params, incoming), table, broken)
