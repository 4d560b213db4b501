"""What is gone from its source: missed by a clean walk, marked deleted in raw, left to a person where it is much.

Only an API, or a table that holds all there is, can say that something is gone. Files and feeds never yield ``Walked``.
"""

from __future__ import annotations

from dataclasses import dataclass

from feedback.model import Gap, Run, Walked, digest, utc_now
from feedback.sources.base import Source
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import incoming
from feedback.warehouse.merge import RAW

MOST_SHARE = 0.02
"""Of a source's published items: if more of them are gone at once, a source that is broken is likelier."""
RULE = "too_many_deleted"
UNDECIDED = "source = ? and target = ? and case_id is null"
OF_CASE = "source = ? and target = ? and not is_kept and case_id in (select case_id from ops.cases where state = ?)"


@dataclass(frozen=True)
class _Missed:
    """The rows of one raw table that a source has missed, as a SQL condition on ``staging.gone``."""

    source: Source
    target: str
    condition: str
    params: tuple[str, ...]

    @property
    def keys(self) -> str:
        return f"select row_key from staging.gone where {self.condition}"


def miss(warehouse: Warehouse, walked: Walked, run: Run) -> None:
    """Note the living rows that a walk should have met and did not; what it met is missed no more."""
    table = RAW[walked.target]
    met = walked.met
    if not isinstance(met, str):
        met = incoming(warehouse, "staging.gone", [{"row_key": "|".join(key)} for key in met])
    warehouse.transact(
        [
            (
                "delete from staging.gone where target = ? and row_key in (select row_key from incoming.met)",
                (walked.target,),
            ),
            (
                "insert into staging.gone (source, target, row_key, item_id, is_kept, run_id, missed_at)"
                f" select ?, ?, {table.row_key}, {table.item_id}, false, ?, ? from {walked.target}"
                f" where not is_deleted and ({walked.where})"
                f" and {table.row_key} not in (select row_key from incoming.met)"
                f" and {table.row_key} not in (select row_key from staging.gone where target = ?)",
                (walked.source, walked.target, run.run_id, utc_now(), *walked.params, walked.target),
            ),
        ],
        {"met": met},
    )


def settle(warehouse: Warehouse, source: Source, run: Run) -> tuple[int, list[Gap]]:
    """Delete what was missed, or open a case; return how many rows are deleted now, and what waits.

    What a person has accepted is deleted, what he has dropped stays, what he has sent back is looked for again.
    """
    targets = [
        row["target"]
        for row in warehouse.rows("select distinct target from staging.gone where source = ?", (source.name,))
    ]
    deleted, waiting = 0, []
    for target in targets:
        mine = (source.name, target)
        deleted += _delete(warehouse, _Missed(source, target, OF_CASE, (*mine, "accepted")), run)
        warehouse.transact(
            [
                (f"update staging.gone set is_kept = true where {OF_CASE}", (*mine, "dropped")),
                (f"delete from staging.gone where {OF_CASE}", (*mine, "re_asked")),
            ]
        )
        missed = _Missed(source, target, UNDECIDED, mine)
        if _is_too_much(warehouse, missed):
            _open_case(warehouse, missed, run)
        else:
            deleted += _delete(warehouse, missed, run)
        waiting += _waiting(warehouse, _Missed(source, target, OF_CASE, (*mine, "open")))
    return deleted, waiting


def _is_too_much(warehouse: Warehouse, missed: _Missed) -> bool:
    table = RAW[missed.target]
    vanishing = (
        "select count(*) as n from feedback.items where source = ?"
        f" and item_id in (select item_id from staging.gone where {missed.condition})"
        f" and item_id not in (select {table.item_id} from {missed.target} where not is_deleted"
        f" and {table.row_key} not in ({missed.keys}))"
    )
    found = warehouse.rows(vanishing, (missed.source.item_source, *missed.params, *missed.params))[0]["n"]
    if not found:
        return False
    published = "select count(*) as n from feedback.items where source = ?"
    return bool(found > MOST_SHARE * warehouse.rows(published, (missed.source.item_source,))[0]["n"])


def _delete(warehouse: Warehouse, missed: _Missed, run: Run) -> int:
    if not (found := _count(warehouse, missed)):
        return 0
    table, now = RAW[missed.target], utc_now()
    warehouse.transact(
        [
            (
                f"update {missed.target} set is_deleted = true, changed_at = ?, run_id = ?"
                f" where not is_deleted and {table.row_key} in ({missed.keys})",
                (now, run.run_id, *missed.params),
            ),
            (
                "insert into ops.tombstones (subject, row_key, reason, run_id, created_at)"
                f" select ?, row_key, 'deleted', ?, ? from staging.gone where {missed.condition}",
                (table.tombstone, run.run_id, now, *missed.params),
            ),
            (f"delete from staging.gone where {missed.condition}", missed.params),
        ]
    )
    return found


def _open_case(warehouse: Warehouse, missed: _Missed, run: Run) -> None:
    subject = f"deletions of {missed.source.name}"
    case_id = digest(subject, missed.target, run.run_id)[:16]
    steps: list[Step] = [
        (f"update staging.gone set case_id = ? where {missed.condition}", (case_id, *missed.params)),
        ("delete from ops.cases where case_id = ?", (case_id,)),
        (
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) select ?, ?, ?, ?, 'open', ?",
            (case_id, subject, run.run_id, RULE, utc_now()),
        ),
    ]
    warehouse.transact(steps)


def _waiting(warehouse: Warehouse, missed: _Missed) -> list[Gap]:
    if not (found := _count(warehouse, missed)):
        return []
    detail = (
        f"{missed.source.name}: {found} rows are gone there, more than {MOST_SHARE:.0%} of its items:"
        " they stay until `make review` says whether they were deleted"
    )
    return [Gap(missed.source.name, "deletions", "refused", RULE, detail, found)]


def _count(warehouse: Warehouse, missed: _Missed) -> int:
    counted = f"select count(*) as n from staging.gone where {missed.condition}"
    return int(warehouse.rows(counted, missed.params)[0]["n"])
