"""The way out of quarantine: a person publishes what was set aside, corrects it, drops it or has it asked again.

What is published goes the way of every batch: staged under a run of its own whose case is accepted, it is
published by the next run of its Dag. A corrected answer joins the golden set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from feedback.errors import InputRefused
from feedback.model import Run, digest, utc_now
from feedback.validation.cases import case_id
from feedback.validation.subject import Subject
from feedback.warehouse.base import Step, Warehouse
from feedback.warehouse.incoming import columns_of, incoming, selected

WAITING = """
    select q.subject, q.item_id, q.content_hash, q.prompt_version, listagg(q.rule, ',') within group (order by q.rule)
            as rules, max(q.reason) as reason, max(cast(q.evidence as varchar)) as evidence,
        max(i.permalink) as permalink, max(i.text) as text
    from ops.quarantine as q
    left join feedback.items as i on i.item_id = q.item_id and i.content_hash = q.content_hash
    where q.status = 'open'
    group by q.subject, q.item_id, q.content_hash, q.prompt_version
    order by q.subject, q.item_id
"""
SAME = "subject = ? and item_id = ? and content_hash = ? and prompt_version = ? and status = 'open'"
ABOUT = ("subject", "item_id", "content_hash", "prompt_version")

Waiting = dict[str, Any]


def waiting(warehouse: Warehouse) -> list[Waiting]:
    """Return what is set aside and undecided, an item and subject each, under an ``id``."""
    found = warehouse.rows(WAITING)
    return [row | {"id": digest(*(row[name] for name in ABOUT))[:12]} for row in found]


def drop(warehouse: Warehouse, row: Waiting, author: str) -> None:
    """Leave it set aside until its text or prompt moves."""
    warehouse.transact(_decided(row, "dropped", author))


def ask_again(warehouse: Warehouse, row: Waiting, author: str) -> None:
    """Have it asked again by the next run, whatever the ledger knows."""
    warehouse.transact(_decided(row, "ask_again", author))


def release(
    warehouse: Warehouse, row: Waiting, subject: Subject, author: str, answer: Sequence[str] | None = None
) -> None:
    """Publish it with the next run: as it is, or with the right labels, which then are golden.

    :raises InputRefused: nothing was staged that could be published, or labels are no answer here.
    """
    rows = _rows(row, subject, author, answer)
    run = Run(f"released__{digest(*(row[name] for name in ABOUT))[:12]}", "", "review")
    mine = {"run_id": run.run_id, "shard": "all"}
    staged = subject.judged.staged
    relations = {"released": incoming(warehouse, staged, [one | mine for one in rows])}
    steps: list[Step] = [
        *_decided(row, "released", author, answer),
        *_accepted(subject, run, row["rules"], author),
        _inserted(warehouse, staged, "released"),
    ]
    if subject.kind == "answers":
        relations["pairs"] = incoming(warehouse, "staging.asked", [_pair(row, rows) | mine])
        steps.append(_inserted(warehouse, "staging.asked", "pairs"))
    if answer is not None:
        text = json.dumps(answer[0] if subject.judged.key == ("item_id",) else list(answer), ensure_ascii=False)
        steps += _golden(row, text, author)
    warehouse.transact(steps, relations)


def _rows(row: Waiting, subject: Subject, author: str, answer: Sequence[str] | None) -> list[dict[str, Any]]:
    by_key = {tuple(one[name] for name in subject.judged.key): one for one in json.loads(row["evidence"] or "[]")}
    evidence = [_timed(one) for one in by_key.values()]
    if answer is None:
        if not evidence:
            raise InputRefused(f"{row['id']} has no row to publish: have it asked again, or give the right answer")
        return evidence
    if subject.kind != "answers" or subject.label != "label":
        raise InputRefused(f"{row['id']}: {subject.name} takes no labels: accept it as it is, or have it asked again")
    if subject.judged.key == ("item_id",) and len(answer) != 1:
        raise InputRefused(f"{row['id']}: {subject.name} has exactly one label")
    said = {one["label"]: one for one in evidence if one.get("is_grounded")}
    lineage = {name: row[name] for name in ABOUT[1:]} | {"model": None, "decided_by": "human", "call_id": None}
    lineage |= {"is_stale": False, "engine_version": f"review by {author}", "answered_at": utc_now()}
    return [{**said.get(label, {}), **lineage, "label": label} for label in answer]


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times come out of JSON as text."""
    return {name: datetime.fromisoformat(v) if name.endswith("_at") and v else v for name, v in row.items()}


def _pair(row: Waiting, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pair = {name: row[name] for name in ABOUT[1:]} | {"enrichment": row["subject"], "outcome": "staged"}
    return pair | {"rows_out": len(rows), "model": rows[0].get("model") if rows else None, "asked_at": utc_now()}


def _decided(row: Waiting, decision: str, author: str, answer: Sequence[str] | None = None) -> list[Step]:
    about = tuple(row[name] for name in ABOUT)
    now = utc_now()
    said = None if answer is None else ",".join(answer)
    return [
        (
            "insert into ops.decisions (decision_id, subject, item_id, content_hash, prompt_version, rules, decision,"
            " answer, author, decided_at) select ?, ?, ?, ?, ?, ?, ?, ?, ?, ?",
            (digest(*about, now.isoformat())[:16], *about, row["rules"], decision, said, author, now),
        ),
        (f"update ops.quarantine set status = ? where {SAME}", (decision, *about)),
    ]


def _accepted(subject: Subject, run: Run, rules: str, author: str) -> list[Step]:
    case, now = case_id(subject, run.run_id), utc_now()
    return [
        ("delete from ops.cases where case_id = ?", (case,)),
        (f"delete from {subject.judged.staged} where run_id = ?", (run.run_id,)),
        ("delete from staging.asked where run_id = ?", (run.run_id,)),
        (
            "insert into ops.cases (case_id, subject, run_id, rules, state, author, opened_at, decided_at)"
            " select ?, ?, ?, ?, 'accepted', ?, ?, ?",
            (case, subject.name, run.run_id, rules, author, now, now),
        ),
    ]


def _golden(row: Waiting, answer: str, author: str) -> list[Step]:
    return [
        ("delete from ops.golden where item_id = ? and enrichment = ?", (row["item_id"], row["subject"])),
        (
            "insert into ops.golden (item_id, enrichment, answer, author, added_at) select ?, ?, parse_json(?), ?, ?",
            (row["item_id"], row["subject"], answer, author, utc_now()),
        ),
    ]


def _inserted(warehouse: Warehouse, table: str, relation: str) -> str:
    columns = columns_of(warehouse, table)
    return f"insert into {table} ({', '.join(columns)}) select {selected(columns)} from incoming.{relation}"
