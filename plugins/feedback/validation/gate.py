"""The gate between staged and published: sets bad rows aside, and says whether the rest may be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from feedback.model import Run, Verdict, utc_now
from feedback.validation import cases, suite
from feedback.validation.checks import KEYS, View, proposed, row_checks, run_measures
from feedback.validation.rule import Rule
from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import incoming


@dataclass(frozen=True)
class Judgement:
    """What the gate found in a batch and decided about it.

    :param total: items judged; ``set_aside`` of them are not published.
    :param blockers: the verdicts for which nothing of the batch may be published.
    :param is_accepted: a person has accepted the batch, whatever blocks it.
    """

    verdicts: tuple[Verdict, ...]
    blockers: tuple[Verdict, ...]
    total: int
    set_aside: int
    is_accepted: bool

    @property
    def decision(self) -> str:
        return "block" if self.blockers and not self.is_accepted else "publish"

    @property
    def blocking_rules(self) -> list[str]:
        return sorted({verdict.rule for verdict in self.blockers})


def judge(warehouse: Warehouse, subject: Subject, rules: Sequence[Rule], run: Run) -> Judgement | None:
    """Judge what the run has staged and write the findings; ``None`` where nothing is staged or asked.

    Judging again replaces the findings of before. What a person has accepted stays accepted.
    """
    total = proposed(warehouse, subject, run.run_id)
    if not total:
        return None
    rows = row_checks(warehouse, subject, rules, run.run_id)
    rejects = _rejects(rows, subject, rules, run)
    _set_aside(warehouse, subject, rules, run, rejects)
    measures = run_measures(warehouse, subject, rules, run.run_id)
    verdicts = tuple(suite.check(warehouse, rows, measures, rules))
    blockers = _blockers(verdicts, rules)
    judgement = Judgement(
        verdicts=verdicts,
        blockers=blockers,
        total=total,
        set_aside=len({reject["item_id"] for reject in rejects}),
        is_accepted=bool(blockers) and cases.is_accepted(warehouse, subject, run.run_id),
    )
    _write(warehouse, subject, run, judgement)
    return judgement


def _rejects(rows: View, subject: Subject, rules: Sequence[Rule], run: Run) -> list[dict[str, Any]]:
    """Return a row for each staged row and critical rule that it breaks; warnings are published."""
    import pyarrow.compute as pc

    rejects: dict[tuple[str, str], dict[str, Any]] = {}
    for rule in rules:
        if rule.scope != "row" or rule.severity != "critical" or rule.id in rows.broken:
            continue
        bad = rows.table.filter(pc.invert(rows.table[rule.id]))
        for row in bad.select(KEYS).to_pylist():
            about = {"run_id": run.run_id, "subject": subject.name, "rule": rule.id}
            rejects[row["row_key"], rule.id] = about | row | {"severity": rule.severity, "reason": rule.runbook}
    return list(rejects.values())


def _set_aside(
    warehouse: Warehouse, subject: Subject, rules: Sequence[Rule], run: Run, rejects: list[dict[str, Any]]
) -> None:
    # Only what this gate judges: the asking task may have set pairs aside by rules of its own.
    mine = ", ".join(f"'{rule.id}'" for rule in rules)
    delete = f"delete from staging.rejects where run_id = ? and subject = ? and rule in ({mine})"
    steps: list[Step] = [(delete, (run.run_id, subject.name))]
    if not rejects:
        warehouse.transact(steps)
        return
    table = incoming(warehouse, "staging.rejects", rejects)
    names = ", ".join(table.column_names)
    steps.append(f"insert into staging.rejects ({names}) select {names} from incoming.rejects")
    warehouse.transact(steps, {"rejects": table})


def _blockers(verdicts: Sequence[Verdict], rules: Sequence[Rule]) -> tuple[Verdict, ...]:
    """A rule that raised judged nothing, so it blocks whatever its severity; bad rows alone never do."""
    about_run = {rule.id for rule in rules if rule.scope == "run"}
    return tuple(
        verdict
        for verdict in verdicts
        if verdict.outcome == "error"
        or (verdict.outcome == "fail" and verdict.severity == "critical" and verdict.rule in about_run)
    )


def _write(warehouse: Warehouse, subject: Subject, run: Run, judgement: Judgement) -> None:
    about = {"run_id": run.run_id, "subject": subject.name, "decision": judgement.decision, "checked_at": utc_now()}
    table = incoming(warehouse, "ops.validations", [asdict(verdict) | about for verdict in judgement.verdicts])
    names = ", ".join(table.column_names)
    steps: list[Step] = [
        ("delete from ops.validations where run_id = ? and subject = ?", (run.run_id, subject.name)),
        f"insert into ops.validations ({names}) select {names} from incoming.validations",
        cases.close_step(subject, run.run_id),
    ]
    if judgement.decision == "block":
        steps += cases.open_steps(subject, run.run_id, judgement.blocking_rules)
    warehouse.transact(steps, {"validations": table})
