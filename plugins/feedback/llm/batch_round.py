"""A round: what one run asks through batches, all at once, and what became of each of its questions."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from feedback.llm.batch_file import ANSWERED, REFUSED, Request
from feedback.llm.batch_out import named, not_out, questions_out
from feedback.llm.batch_store import BatchStore
from feedback.llm.cascade import Models
from feedback.llm.ledger import Ledger, answer_key
from feedback.llm.pack import Row, fits, packs
from feedback.llm.questions import Registry
from feedback.llm.results import Decided, Question, Results

AT_ONCE = 2_000
"""Texts that one query asks about."""

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
        return bool(self._calls)

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
        results = self._known(rows)
        open_rows, out = results.open_rows(rows), questions_out(self.store.warehouse)
        words = self._words([row.key for row in open_rows])
        now: list[Row] = []
        for row in open_rows:
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

    def _all_requests(self, rows: Sequence[Row]) -> Iterator[Request]:
        """Yield a request for all that is neither known nor out, of the model that it fits."""
        free = not_out(self.store.warehouse, rows)
        rest = self._known(free).open_rows(free)
        for model, most_rows in zip(self.models, (self.most_rows, 1), strict=False):
            fitting = [row for row in rest if fits(row, self.registry, model)]
            rest = [row for row in rest if not fits(row, self.registry, model)]
            for pack in packs(fitting, self.registry, model, most_rows):
                yield Request(uuid.uuid4().hex, pack)

    def _why_waiting(self, row: Row, name: str, words: Mapping[Question, str]) -> str:
        """Return why a question waits; nothing where it is asked online, alone.

        That is where the answer could not be used, as a second batch would hold up all the others, and where no
        model holds the text whole, as its parts follow from one another.
        """
        word = words.get((row.key, name))
        if word in (ANSWERED, REFUSED) or not any(fits(row, self.registry, model) for model in self.models):
            return ""
        return word or ("next_batch" if self._calls and not self._left_out else "budget")

    # What the warehouse knows

    def _known(self, rows: Sequence[Row]) -> Results:
        """Answer what was paid before; what is wanted afresh only where it was paid in this round."""
        afresh = {(row.key, name) for row in rows for name in row.afresh}
        keys = {
            (row.key, name): [answer_key(row.key, self.registry.by_name[name], model) for model in self.models]
            for row in rows
            for name in row.owed
        }
        known = self.ledger.known([key for of_question in keys.values() for key in of_question])
        results = Results()
        for question, of_question in keys.items():
            for found in (known[key] for key in of_question if key in known):
                is_ours = found.call_id in self._calls
                if is_ours or question not in afresh:
                    by = "llm" if is_ours else "cache"
                    results.answers.setdefault(question, Decided(found.answer, by, found.model, found.call_id))
        return results

    def _words(self, keys: Sequence[str]) -> dict[Question, str]:
        """Return of each question of the round about these texts what became of its request."""
        words: dict[Question, str] = {}
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            marks = ", ".join("?" * len(some))
            found = self.store.warehouse.rows(
                f"select content_hash, enrichments, outcome from ({MINE}) as mine"
                f" where outcome is not null and content_hash in ({marks})",
                (*self._run, *some),
            )
            words |= {(row["content_hash"], name): row["outcome"] for row in found for name in named(row)}
        return words

    @cached_property
    def _calls(self) -> set[str]:
        """The calls of the round, as it was before we send anything."""
        found = self.store.warehouse.rows(f"select distinct call_id from ({MINE}) as mine", self._run)
        return {row["call_id"] for row in found}

    @cached_property
    def _left_out(self) -> int:
        """How many rows of the round the budget did not admit."""
        found = self.store.warehouse.rows(f"select coalesce(max(left_out), 0) as n from ({MINE}) as mine", self._run)
        return int(found[0]["n"])
