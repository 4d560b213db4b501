"""Blocked batches and their way out: a person accepts, drops or re-asks a case; no later run waits for it.

The asked pairs of a blocked batch count as quarantined, so the next run neither asks them again nor is
blocked by them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from feedback.errors import InputRefused
from feedback.model import digest, utc_now
from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse


def case_id(subject: Subject, run_id: str) -> str:
    """Return the id of the case that a block of this subject in this run opens."""
    return digest(subject.name, run_id)[:16]


def is_accepted(warehouse: Warehouse, subject: Subject, run_id: str) -> bool:
    """Return whether a person has accepted this batch as it is."""
    accepted = "select 1 as found from ops.cases where case_id = ? and state = 'accepted'"
    return bool(warehouse.rows(accepted, (case_id(subject, run_id),)))


def may_publish(warehouse: Warehouse, subject: Subject, run_id: str) -> bool:
    """Return whether the gate let this batch pass, or a person did; a batch that nobody judged may not."""
    passed = "select 1 as found from ops.validations where run_id = ? and subject = ? and decision = 'publish' limit 1"
    return bool(warehouse.rows(passed, (run_id, subject.name))) or is_accepted(warehouse, subject, run_id)


def accepted_runs(warehouse: Warehouse, subject: Subject) -> list[str]:
    """Return the runs whose blocked batch was accepted and still waits in staging."""
    found = warehouse.rows(
        "select distinct run_id from ops.cases where subject = ? and state = 'accepted' and run_id in ("
        f"select run_id from {subject.judged.staged}"
        " union all select run_id from staging.asked where enrichment = ?) order by run_id",
        (subject.name, subject.name),
    )
    return [row["run_id"] for row in found]


def open_steps(subject: Subject, run_id: str, rules: Sequence[str]) -> list[Step]:
    """Return the statements that open a case and take its pairs out of what is owed."""
    reason = f"blocked by {', '.join(rules)}"
    return [
        (
            "insert into ops.cases (case_id, subject, run_id, rules, state, opened_at) select ?, ?, ?, ?, 'open', ?",
            (case_id(subject, run_id), subject.name, run_id, ",".join(rules), utc_now()),
        ),
        (
            "delete from ops.answers where enrichment = ? and item_id in"
            " (select item_id from staging.asked where run_id = ? and enrichment = ?)",
            (subject.name, run_id, subject.name),
        ),
        (
            "insert into ops.answers (item_id, enrichment, status, content_hash, prompt_version, model, rows_out,"
            " reason, run_id) select distinct item_id, enrichment,"
            " case when outcome = 'pending' then 'pending' else 'quarantined' end,"
            " content_hash, prompt_version, model, 0, coalesce(reason, ?), run_id"
            " from staging.asked where run_id = ? and enrichment = ?",
            (reason, run_id, subject.name),
        ),
    ]


def close_step(subject: Subject, run_id: str) -> Step:
    """Return the statement that forgets an undecided case, before its batch is judged anew."""
    return "delete from ops.cases where case_id = ? and state = 'open'", (case_id(subject, run_id),)


def decide(warehouse: Warehouse, case: str, state: str, author: str) -> None:
    """Write a person's decision about an open case: ``accepted``, ``dropped`` or ``re_asked``.

    What is accepted is published by the next run of its Dag; what is re-asked is owed again; what is dropped
    stays set aside until its text or prompt moves.

    :raises InputRefused: there is no open case of that id.
    """
    if not warehouse.rows("select 1 as found from ops.cases where case_id = ? and state = 'open'", (case,)):
        raise InputRefused(f"no open case {case}: see ops.cases for those that wait")
    steps: list[Step] = [
        (
            "update ops.cases set state = ?, author = ?, decided_at = ? where case_id = ?",
            (state, author, utc_now(), case),
        )
    ]
    if state == "re_asked":
        steps.append(
            (
                "update ops.answers set status = 'pending', reason = 're-asked'"
                " where status = 'quarantined' and exists (select 1 from ops.cases as c where c.case_id = ?"
                " and c.subject = answers.enrichment and c.run_id = answers.run_id)",
                (case,),
            )
        )
    warehouse.transact(steps)
