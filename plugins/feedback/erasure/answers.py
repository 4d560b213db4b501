"""What was made of the words: published and proposed answers, the paid ones in the ledger, the names they brought."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from feedback.llm.enrichment import Enrichment
from feedback.llm.ledger import answer_key
from feedback.llm.prices import Model, family
from feedback.model import Run
from feedback.warehouse.base import Warehouse

ITEMS = "select item_id from staging.erasing where run_id = ? and item_id is not null"
"""The items whose text changes or goes, of a run."""
LONG = 2_000
"""Characters from which a text may have been asked about in parts, whose answers no table names."""
AT_ONCE = 5_000
ASKED_ALONE = """
    select answers.answer_key, answers.answer from ops.llm_answers as answers
    join ops.llm_calls as calls on calls.call_id = answers.call_id
    where calls.row_count = 1 and calls.run_id in (select run_id from ops.llm_calls where call_id in ({}))
"""

Name = tuple[str, str]
"""Kind and norm."""


@dataclass
class Said:
    """What the tables say about the items.

    :param hashes: of every text that was asked about, earlier ones too.
    :param call_ids: the calls that paid for the answers.
    :param quotes: the words that answers repeat.
    :param long_texts: those that may have been asked about in parts.
    :param names: kind and norm of the mentions.
    """

    hashes: set[str] = field(default_factory=set)
    call_ids: set[str] = field(default_factory=set)
    quotes: set[str] = field(default_factory=set)
    long_texts: list[str] = field(default_factory=list)
    names: set[Name] = field(default_factory=set)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a row of a table about items, or of an answer's history."""
        for values, column in ((self.hashes, "content_hash"), (self.call_ids, "call_id"), (self.quotes, "quote")):
            if row.get(column):
                values.add(row[column])
        if row.get("norm"):
            self.names.add((row["kind"], row["norm"]))
        if len(row.get("text") or "") > LONG:
            self.long_texts.append(row["text"])


def said(warehouse: Warehouse, tables: Sequence[str], run: Run) -> Said:
    """Return what the tables with an ``item_id`` say about the items that a run has marked."""
    found = Said()
    for table in tables:
        for row in warehouse.rows(f"select * from {table} where item_id in ({ITEMS})", (run.run_id,)):
            found.add(row)
            if table == "feedback.answers_history":
                for answer in json.loads(row["answer"]):
                    found.add(answer)
    return found


def paid(warehouse: Warehouse, found: Said, enrichments: Sequence[Enrichment]) -> set[str]:
    """Return the keys of the ledger's answers about these texts.

    Those to the questions of today are known by their keys, those to earlier wordings by the call that paid for
    them and the quotes they share, those to parts of a long text by quotes that stand in it.
    """
    families = {family(row["model"]) for row in warehouse.rows("select distinct model from ops.llm_answers")}
    keys = (
        answer_key(text, enrichment, Model(name))
        for text in found.hashes
        for enrichment in enrichments
        for name in families
    )
    known = "select answer_key from ops.llm_answers where answer_key in ({})"
    answers = {row["answer_key"] for row in _in(warehouse, known, keys)}
    by_call = "select answer_key, answer from ops.llm_answers where call_id in ({})"
    for row in _in(warehouse, by_call, found.call_ids):
        if _quotes(json.loads(row["answer"])) & found.quotes:
            answers.add(row["answer_key"])
    for row in _in(warehouse, ASKED_ALONE, found.call_ids) if found.long_texts else ():
        if any(quote in text for quote in _quotes(json.loads(row["answer"])) for text in found.long_texts):
            answers.add(row["answer_key"])
    return answers


def theirs_alone(warehouse: Warehouse, names: Iterable[Name], run: Run) -> set[Name]:
    """Return the names that nobody else's words mention and that no person and no catalog has decided on."""
    by_norm: dict[str, set[Name]] = {}
    for kind, norm in names:
        by_norm.setdefault(norm, set()).add((kind, norm))
    elsewhere = f"select kind, norm from feedback.mentions where norm in ({{}}) and item_id not in ({ITEMS})"
    decided = "select kind, norm from ops.entity_decisions where norm in ({}) and decided_by in ('catalog', 'human')"
    found = (*_in(warehouse, elsewhere, by_norm, run.run_id), *_in(warehouse, decided, by_norm))
    kept = {(row["kind"], row["norm"]) for row in found}
    return {name for some in by_norm.values() for name in some} - kept


def _quotes(answer: Any) -> set[str]:
    """The customer's words in an answer, whatever its type."""
    if isinstance(answer, Mapping):
        mine = {answer["quote"]} if isinstance(answer.get("quote"), str) else set()
        return mine.union(*map(_quotes, answer.values()))
    return set().union(*map(_quotes, answer)) if isinstance(answer, list) else set()


def _in(warehouse: Warehouse, sql: str, values: Iterable[str], *more: str) -> Iterator[dict[str, Any]]:
    """Ask for many values, some at a time; ``{}`` stands for their marks, ``more`` are those after them."""
    waiting = iter(values)
    while some := list(islice(waiting, AT_ONCE)):
        yield from warehouse.rows(sql.format(", ".join("?" * len(some))), (*some, *more))
