"""What went wrong with a task, in words that hold nothing a customer wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from feedback.errors import FeedbackError, GateBlocked
from feedback.model import Verdict
from feedback.notifications.incidents import key_of
from feedback.validation.report import told
from feedback.validation.rule import Rule
from feedback.validation.subject import Subject

if TYPE_CHECKING:
    from airflow.sdk import Context

Rows = Callable[[str, Sequence[Any]], list[dict[str, Any]]]

BLOCKING = """
    select subject, rule, slice, severity, outcome, failed, total, measured, bound from ops.validations
    where run_id = ? and decision = 'block' and (outcome = 'error' or (outcome = 'fail' and severity = 'critical'))
    order by subject, rule, slice
"""
MESSAGE = "select message from ops.task_runs where run_id = ? and dag_id = ? and task_id = ? and message is not null"
EXAMPLES = """
    select rejects.rule, rejects.item_id, items.permalink
    from staging.rejects as rejects
    left join feedback.items as items on items.item_id = rejects.item_id and items.visibility = 'public'
    where rejects.run_id = ? and rejects.subject = ?
    qualify row_number() over (order by rejects.rule, rejects.item_id) <= 3
    order by rejects.rule, rejects.item_id
"""
DECIDE = "Then decide once for the batch: `make review` lists its case; later runs do not wait for it."
CRASHED = "Read the task's log, remove the cause, clear the task: what is paid and published is kept."


@dataclass(frozen=True)
class Trouble:
    """Why somebody is told.

    :param key: the same trouble of another task or run has the same.
    :param what: the same in a few words.
    :param runbook: what to do, a line each.
    :param rules: the findings that blocked, each a JSON object.
    :param examples: a few of what was set aside: what it broke and where it can be read; no word of it.
    """

    key: str
    dag_id: str
    run_id: str
    what: str
    sentence: str
    runbook: list[str]
    rules: list[dict[str, Any]] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def trouble(rows: Rows, context: Context) -> Trouble:
    """Return what a failed task's context and the warehouse say about it."""
    ti, task = context["ti"], context.get("task")
    error = our_error(context.get("exception"))
    subject: Subject | None = getattr(task, "subject", None)
    if subject and isinstance(error, GateBlocked):
        found = blocked(rows, ti.dag_id, ti.run_id, subject.name, getattr(task, "rules", ()))
        if found:
            return found
    message = str(error) if error else _message(rows, ti, context.get("exception"))
    sentence = f"{ti.dag_id}.{ti.task_id} failed: {message}"
    key = key_of(ti.dag_id, "failed", [ti.task_id])
    return Trouble(key, ti.dag_id, ti.run_id, f"{ti.task_id} failed", sentence, [CRASHED])


def blocked(rows: Rows, dag_id: str, run_id: str, subject: str, rules: Sequence[Rule]) -> Trouble | None:
    """Return what blocked a subject in a run, and others with it; None where nothing did."""
    found = _blocking(rows, run_id, subject)
    if not found:
        return None
    causes = sorted({rule["rule"] for rule in found})
    subjects = ", ".join(sorted({rule["subject"] for rule in found}))
    findings = "; ".join(dict.fromkeys(f"{rule['subject']} {_told(rule)}" for rule in found))
    return Trouble(
        key=key_of(dag_id, "blocked", causes),
        dag_id=dag_id,
        run_id=run_id,
        what=f"{subjects} not published",
        sentence=f"{dag_id} did not publish {subjects}: {findings}. What was published before stands.",
        rules=found,
        runbook=[f"{rule.id}: {rule.runbook}" for rule in rules if rule.id in causes] + [DECIDE],
        examples=[_example(row) for row in rows(EXAMPLES, (run_id, subject))],
    )


def _blocking(rows: Rows, run_id: str, subject: str) -> list[dict[str, Any]]:
    """Return what blocked the subject, and every other subject of the run that the same rules blocked."""
    by_subject = defaultdict(list)
    for row in rows(BLOCKING, (run_id,)):
        by_subject[row["subject"]].append(row)
    mine = {row["rule"] for row in by_subject[subject]}
    return [row for found in by_subject.values() if {row["rule"] for row in found} == mine for row in found]


def _example(row: dict[str, Any]) -> str:
    return f"{row['rule']}: {row['item_id']}" + (f" {row['permalink']}" if row["permalink"] else "")


def _told(rule: dict[str, Any]) -> str:
    return told(Verdict(**{name: value for name, value in rule.items() if name != "subject"}))


def our_error(exception: object) -> FeedbackError | None:
    """Return the error that an operator of ours turned into Airflow's."""
    chain = (exception, getattr(exception, "__context__", None))
    return next((error for error in chain if isinstance(error, FeedbackError)), None)


def _message(rows: Rows, ti: Any, exception: object) -> str:
    """Return our own line about an error that is not ours: its text may quote a customer, so it stays away."""
    written = rows(MESSAGE, (ti.run_id, ti.dag_id, ti.task_id))
    if written:
        return str(written[0]["message"])
    return type(exception).__name__ if isinstance(exception, BaseException) else "it ended without a word"
