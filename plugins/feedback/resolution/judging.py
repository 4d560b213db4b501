"""Judging again: what the offline model or an earlier prompt has decided about names, where a person asks for it.

A decision that does not hold parts what it had brought together; most names keep the id. One that now calls two
settled entities the same merges nothing: a person is asked. Whatever has a newer answer is not asked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback.errors import InputRefused
from feedback.llm.offline_model import MODEL
from feedback.model import digest, utc_now
from feedback.resolution.adjudicate import Shown
from feedback.resolution.cases import SUBJECT
from feedback.resolution.catalog import Catalog
from feedback.resolution.evidence import Evidence
from feedback.resolution.match import MOST_OFFERED, Question, Said
from feedback.resolution.normalise import commonest
from feedback.resolution.overrides import Override, undecided
from feedback.resolution.score import Pair
from feedback.resolution.settled import Written
from feedback.warehouse.base import Warehouse

RULE = "re_judge"
REQUESTED = "select 1 as found from ops.cases where state = 're_asked' and subject like ? limit 1"
LATEST = """
    select kind, norm, candidate, verdict, score, model, prompt_version, decided_at from ops.entity_decisions
    where kind = ? and candidate is not null and decided_by = 'llm'
    qualify row_number() over (partition by kind, norm, candidate order by decided_at desc, decision_id) = 1
"""
OWED = f"""
    with latest as ({LATEST})
    select distinct latest.norm, latest.candidate, latest.verdict, latest.score from latest
    join ops.cases as asked
        on asked.state = 're_asked' and asked.subject like ? and asked.decided_at > latest.decided_at
    left join ops.case_names as about
        on about.case_id = asked.case_id and about.kind = latest.kind
        and (about.norm = latest.norm or about.norm = latest.candidate)
    where (latest.model = ? or latest.prompt_version <> asked.prompt_version)
        and (asked.rules = ? or about.norm is not null)
    order by latest.norm, latest.candidate
"""
WOULD_BE_OWED = f"""
    with latest as ({LATEST})
    select distinct latest.norm, latest.candidate from latest
    join ops.case_names as about
        on about.case_id = ? and about.kind = latest.kind
        and (about.norm = latest.norm or about.norm = latest.candidate)
    where latest.model = ? or latest.prompt_version <> ?
"""
REASONS = """
    select d.decision_id, d.norm, d.candidate from ops.entity_decisions as d
    join incoming.wanted as w on w.decision_id = d.decision_id
"""


@dataclass(frozen=True)
class Judged:
    """What holds now of a pair that was decided before.

    :param is_said: False where nothing was said about it now, so that it stays as it was.
    """

    name: str
    other: str
    is_same: bool
    evidence: Evidence
    is_said: bool = True


@dataclass(frozen=True)
class Before:
    """What was decided before, and how sure it was."""

    is_same: bool
    score: float | None


def request(warehouse: Warehouse, author: str, prompt_version: str) -> None:
    """Have the next run ask again, of a real model, what the offline model or an earlier prompt has decided so far.

    :param prompt_version: of the question as it is now; a later one is not asked without another request.
    """
    now = utc_now()
    row = (digest(RULE, now.isoformat())[:16], f"{SUBJECT}every kind", "review", RULE, author, now, now, prompt_version)
    warehouse.transact(
        [
            (
                "insert into ops.cases"
                " (case_id, subject, run_id, rules, state, author, opened_at, decided_at, prompt_version)"
                " select ?, ?, ?, ?, 're_asked', ?, ?, ?, ?",
                row,
            )
        ]
    )


def is_requested(warehouse: Warehouse) -> bool:
    """Say whether anybody ever asked for it."""
    return bool(warehouse.rows(REQUESTED, (f"{SUBJECT}%",)))


def owed(warehouse: Warehouse, kind: str) -> dict[Pair, Before]:
    """Return the pairs to be judged again: the name that was asked about, and the one that was offered."""
    values = (kind, f"{SUBJECT}%", MODEL.name, RULE)
    return {
        (row["norm"], row["candidate"]): Before(row["verdict"] == "same", row["score"])
        for row in warehouse.rows(OWED, values)
    }


def refuse_answered(
    warehouse: Warehouse, case: str, prompt_version: str, overrides: Sequence[Override], catalog: Catalog
) -> None:
    """Make sure that there is something to ask again about the names of a case.

    :param prompt_version: of the question as it is now.
    :param overrides: what people have decided, as ``catalog``.
    :raises InputRefused: there is nothing.
    """
    for row in warehouse.rows("select distinct kind from ops.case_names where case_id = ?", (case,)):
        values = (row["kind"], case, MODEL.name, prompt_version)
        pairs = [(pair["norm"], pair["candidate"]) for pair in warehouse.rows(WOULD_BE_OWED, values)]
        if undecided(pairs, row["kind"], overrides, catalog):
            return
    raise InputRefused(
        f"{case} stays open: neither the offline model nor an earlier prompt has decided about its names, so nothing"
        " would be asked again: accept or drop it"
    )


def questions(pairs: Iterable[Pair]) -> list[Question]:
    """Return the questions about these pairs, each with as many names as one may offer."""
    offered: dict[str, list[str]] = defaultdict(list)
    for name, other in pairs:
        offered[name].append(other)
    return [
        Question(name, tuple(others[start : start + MOST_OFFERED]))
        for name, others in sorted(offered.items())
        for start in range(0, len(others), MOST_OFFERED)
    ]


def judged(
    answers: Mapping[Question, Said | None],
    owners: Mapping[str, str],
    before: Mapping[Pair, Before],
    prompt_version: str,
) -> list[Judged]:
    """Return what holds now of every pair that was asked about, so that each is owed once; what waits is owed still.

    Who chose one name of an entity has said nothing about its other names: these stay as they were, and so does all
    where nothing usable was said.
    """
    found = []
    for question, said in answers.items():
        for other in question.offered:
            if said is None:
                why, by = "judged again: nothing usable", Said(None, None, prompt_version)
            elif other != said.chosen and said.chosen and owners.get(other) == owners.get(said.chosen):
                why, by = "judged again: nothing said about it, as before", said
            else:
                found.append(_said(question, other, said))
                continue
            was = before[question.name, other]
            evidence = Evidence("llm", why, was.score, by.model, by.prompt_version, by.call_id)
            found.append(Judged(question.name, other, was.is_same, evidence, is_said=False))
    return found


def _said(question: Question, other: str, said: Said) -> Judged:
    is_same = other == said.chosen
    why = f"judged again: {'chosen' if is_same else 'not chosen'} among {len(question.offered)} names"
    evidence = Evidence("llm", why, float(is_same), said.model, said.prompt_version, said.call_id)
    return Judged(question.name, other, is_same, evidence)


def as_written(kind: str, seen: Written) -> dict[str, Shown]:
    """Return how names are shown here: by themselves, not as the entity that is in question."""
    return {
        norm: Shown(commonest(surfaces), quote=seen.quotes.get((kind, norm)))
        for (of_kind, norm), surfaces in seen.spellings.items()
        if of_kind == kind
    }


def reasons(warehouse: Warehouse, names: Iterable[Mapping[str, Any]]) -> dict[str, Pair]:
    """Return the pairs of names behind the decisions by which names stand for their entities."""
    import pyarrow as pa

    ids = pa.table({"decision_id": pa.array(sorted({row["decision_id"] for row in names}), pa.string())})
    found = warehouse.arrow(REASONS, incoming={"wanted": ids}).to_pylist()
    return {row["decision_id"]: (row["norm"], row["candidate"]) for row in found if row["candidate"]}


def hanging_on(name: str, reason_of: Mapping[str, Pair]) -> frozenset[str]:
    """Return a name and those that stand for its entity only because of it, directly or not.

    :param reason_of: of each name of the entity the pair that was decided.
    """
    follow: dict[str, list[str]] = defaultdict(list)
    for each, pair in reason_of.items():
        follow[pair[0] if pair[1] == each else pair[1]].append(each)
    found, open_names = set(), [name]
    while open_names:
        each = open_names.pop()
        if each not in found:
            found.add(each)
            open_names += follow[each]
    return frozenset(found)
