"""A round: what one run asks through batches, all at once, and what became of each of its questions."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence

from feedback.llm.batch_file import ANSWERED, REFUSED, Request
from feedback.llm.batch_store import BatchStore
from feedback.llm.ledger import Known, Ledger, answer_key
from feedback.llm.pack import Pack, Row, fits, packs
from feedback.llm.questions import Registry
from feedback.llm.results import Decided, Question, Results
from feedback.llm.session import Models

MINE = (
    "select sent.*, batches.left_out from ops.llm_batch_rows as sent"
    " join ops.llm_batches as batches on batches.intent_id = sent.intent_id"
    " where batches.dag_id = ? and batches.task_id = ? and batches.run_id = ?"
)


class Round:
    """The round of one run. It is sent once; what it leaves open is owed to the next run."""

    def __init__(self, store: BatchStore, ledger: Ledger, registry: Registry, models: Models, most_rows: int):
        self.store, self.ledger, self.registry, self.most_rows = store, ledger, registry, most_rows
        self.models = [model for model in (models.small, models.large) if model]
        run = store.run
        self._run = (run.dag_id, run.task_id, run.run_id)

    @property
    def is_sent(self) -> bool:
        """Whether it was sent and is not staged yet."""
        return bool(self.store.warehouse.rows(f"select 1 as one from ({MINE}) as mine limit 1", self._run))

    def requests(self, rows: Sequence[Row], left_usd: float) -> tuple[list[Request], int]:
        """Return the requests that the budget admits at the most they can cost, and how many rows it does not."""
        requests: list[Request] = []
        left_out = 0
        for request in self._all_requests(rows):
            left_usd -= request.most_usd
            if left_usd < 0 or left_out:
                left_out += len(request.pack.rows)
            else:
                requests.append(request)
        return requests, left_out

    def results(self, rows: Sequence[Row], is_wanted: bool) -> tuple[Results, list[Row]]:
        """Return what is decided, and the rows to be asked online now; every other question says why it waits.

        :param is_wanted: whether batches are what we ask by; if not, all that is open is asked now.
        """
        results = Results()
        landed = self._landed()
        for question, keys in self._keys(rows):
            if found := next((landed[key] for key in keys if key in landed), None):
                results.answers[question] = Decided(found.answer, "llm", found.model, found.call_id)
        self._add_known(results, rows)
        words, out = self._words(), self.store.questions_out()
        now: list[Row] = []
        for row in results.open_rows(rows):
            why = {name: self._why_waiting(row, name, words) if is_wanted else "" for name in row.owed}
            why |= {name: "batch" for name in row.owed if (row.key, name) in out}
            results.waiting |= {(row.key, name): reason for name, reason in why.items() if reason}
            if asked := [name for name, reason in why.items() if not reason]:
                now.append(row.owing(asked))
        return results, now

    def close(self) -> None:
        """Forget the rows of what has ended: it is staged, by this run or by one before it."""
        ended = "select intent_id from ops.llm_batches where ended_at is not null"
        self.store.warehouse.transact([f"delete from ops.llm_batch_rows where intent_id in ({ended})"])

    def _all_requests(self, rows: Sequence[Row]) -> list[Request]:
        """Return a request for all that is neither known nor out, of the model that it fits."""
        elsewhere = Results(rejected=dict.fromkeys(self.store.questions_out(), "batch"))
        self._add_known(elsewhere, rows)
        rest = elsewhere.open_rows(rows)
        made: list[Pack] = []
        for model, most_rows in zip(self.models, (self.most_rows, 1), strict=False):
            fitting = [row for row in rest if fits(row, self.registry, model)]
            rest = [row for row in rest if not fits(row, self.registry, model)]
            made += packs(fitting, self.registry, model, most_rows)
        return [Request(uuid.uuid4().hex, pack) for pack in made]

    def _why_waiting(self, row: Row, name: str, words: Mapping[Question, str]) -> str:
        """Return why a question waits; nothing where it is asked online, alone.

        That is where the answer could not be used, as a second batch would hold up all the others, and where no
        model holds the text whole, as its parts follow from one another.
        """
        word = words.get((row.key, name))
        if word in (ANSWERED, REFUSED) or not any(fits(row, self.registry, model) for model in self.models):
            return ""
        return word or ("budget" if self._left_out or not words else "next_batch")

    # What the warehouse knows

    def _add_known(self, results: Results, rows: Sequence[Row]) -> None:
        """Answer from the ledger what was paid before, unless it is wanted afresh."""
        afresh = {(row.key, name) for row in rows for name in row.afresh}
        wanted = [(question, keys) for question, keys in self._keys(results.open_rows(rows)) if question not in afresh]
        known = self.ledger.known([key for _, keys in wanted for key in keys])
        for question, keys in wanted:
            if found := next((known[key] for key in keys if key in known), None):
                results.answers[question] = Decided(found.answer, "cache", found.model, found.call_id)

    def _keys(self, rows: Sequence[Row]) -> list[tuple[Question, list[str]]]:
        """Return each question with the keys under which an answer to it may be kept."""
        named = self.registry.by_name
        return [
            ((row.key, name), [answer_key(row.key, named[name], model) for model in self.models])
            for row in rows
            for name in row.owed
        ]

    def _landed(self) -> dict[str, Known]:
        """Return the accepted answers of the round by their key."""
        found = self.store.warehouse.rows(
            "select answer_key, answer, model, call_id from ops.llm_answers"
            f" where call_id in (select call_id from ({MINE}) as mine)",
            self._run,
        )
        return {row["answer_key"]: Known(json.loads(row["answer"]), row["model"], row["call_id"]) for row in found}

    def _words(self) -> dict[Question, str]:
        """Return of each question of the round what became of its request."""
        found = self.store.warehouse.rows(
            f"select content_hash, enrichments, outcome from ({MINE}) as mine where outcome is not null", self._run
        )
        return {(row["content_hash"], name): row["outcome"] for row in found for name in row["enrichments"].split(",")}

    @property
    def _left_out(self) -> int:
        """How many rows of the round the budget did not admit."""
        found = self.store.warehouse.rows(f"select coalesce(max(left_out), 0) as n from ({MINE}) as mine", self._run)
        return int(found[0]["n"])
