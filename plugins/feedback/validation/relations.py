"""What rules may speak of: a run's own rows, and what the weeks before were like, as relations of one query."""

from __future__ import annotations

from typing import Any

from feedback.validation.rule import NOTHING, SHARE
from feedback.validation.subject import Subject

RECENT = "cast(current_timestamp as timestamp_ntz) - interval '28 days'"
TOTALS = f"""
    select run_id, max(total) as total from ops.validations
    where subject = ? and run_id <> ? and rule = '{SHARE}' and checked_at >= {RECENT} group by run_id"""


def relations(subject: Subject, run_id: str) -> tuple[str, tuple[Any, ...]]:
    """Return the ``with`` clause that names what rules may speak of, and its values.

    ``staged`` is what the run proposes, ``staged_<table>`` what goes along with it, ``asked`` what it set out
    to ask, ``rejects`` what is set aside already, ``judged`` every item that is staged or asked, ``this_run`` its
    id, ``totals`` how many items each earlier run of the last four weeks brought here. Of answers: ``calls`` are
    what the run has paid, ``fresh`` and ``past`` each label that it gives, and that was given in those weeks,
    ``incoming.golden`` how right about golden items those are that answered.
    """
    named: dict[str, tuple[str, tuple[Any, ...]]] = {
        "this_run": ("select ? as run_id", (run_id,)),
        "staged": (f"select * from {subject.judged.staged} where run_id = ?", (run_id,)),
        **{
            f"staged_{table.name}": (f"select * from {table.staged} where run_id = ?", (run_id,))
            for table in subject.tables[1:]
        },
        "asked": ("select * from staging.asked where run_id = ? and enrichment = ?", (run_id, subject.name)),
        "rejects": ("select * from staging.rejects where run_id = ? and subject = ?", (run_id, subject.name)),
        "judged": (f"select {subject.item_id} as item_id from staged union select item_id from asked", ()),
        "totals": (TOTALS, (subject.name, run_id)),
    }
    if subject.kind == "answers":
        named |= {
            "calls": ("select * from ops.llm_calls where run_id = ?", (run_id,)),
            "fresh": (_fresh(subject.label), ()),
            "past": (_past(subject), (subject.name, run_id)),
        }
    clause = ", ".join(f"{name} as ({sql})" for name, (sql, _) in named.items())
    return f"with {clause}", tuple(value for _, values in named.values() for value in values)


def _fresh(label: str) -> str:
    return f"""
        select asked.item_id, coalesce(items.source, 'gone') as source, coalesce(staged.{label}, '{NOTHING}') as label
        from asked
        left join feedback.items as items on items.item_id = asked.item_id
        left join staged on staged.item_id = asked.item_id
        where asked.outcome = 'staged' and asked.item_id not in (select item_id from rejects)"""


def _past(subject: Subject) -> str:
    return f"""
        select known.item_id, items.source, coalesce(published.{subject.label}, '{NOTHING}') as label
        from ops.answers as known
        join feedback.items as items on items.item_id = known.item_id
        left join {subject.judged.published} as published on published.item_id = known.item_id
        where known.enrichment = ? and known.run_id <> ? and known.status = 'answered'
            and known.answered_at >= {RECENT}"""
