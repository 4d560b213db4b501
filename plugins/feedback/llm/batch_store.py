"""What the warehouse knows of batches: each is written down before it is sent, and row by row until it is staged.

Hashes stand for the words, which are found again in ``feedback.items``: another worker can land a batch, and what was
erased meanwhile is read by nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from feedback.llm.batch_file import File, asked_as
from feedback.llm.batch_out import Batch, named
from feedback.llm.pack import Pack, Row
from feedback.llm.prices import Model
from feedback.llm.questions import Registry
from feedback.model import Run, utc_now
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import append, incoming

TOO_MANY_TOKENS = "token_limit_exceeded"
REMEMBERED = timedelta(days=7)
"""For so long a service's refusal of a large batch keeps the next ones small."""


@dataclass(frozen=True)
class Sent:
    """A request that was sent, made again of what the warehouse holds.

    :param texts: the keys of the rows whose words are still there.
    :param is_as_asked: whether it would be asked in the same words today, so that its answer can be read.
    :param held_usd: what was reserved for it.
    """

    pack: Pack
    texts: frozenset[str]
    is_as_asked: bool
    held_usd: float


class BatchStore:
    """Writes down what one task does with batches, its own and those of runs before it."""

    def __init__(self, warehouse: Warehouse, run: Run):
        self.warehouse, self.run = warehouse, run

    @property
    def most_tokens(self) -> float:
        """How many tokens a batch may send: half of what was lately refused as too many, if no more was taken."""
        known = self.warehouse.rows(
            "select min(case when reason = ? then input_tokens end) as refused,"
            " max(case when status = 'landed' then input_tokens end) as taken"
            " from ops.llm_batches where created_at > ?",
            (TOO_MANY_TOKENS, utc_now() - REMEMBERED),
        )[0]
        return max(known["refused"] / 2, known["taken"] or 0) if known["refused"] else float("inf")

    # On its way

    def intend(self, file: File, base_url: str, left_out: int) -> Batch:
        """Write down a batch that is about to be sent, its rows and its calls. Who dies in between has sent nothing."""
        batch = Batch(
            intent_id=uuid.uuid4().hex,
            run_id=self.run.run_id,
            base_url=base_url,
            model=file.requests[0].pack.model.name,
            status="intent",
            file_id=None,
            batch_id=None,
            request_count=len(file.requests),
            created_at=utc_now(),
        )
        more = {
            "fingerprint": file.sha256.hexdigest(),
            "row_count": sum(len(request.pack.rows) for request in file.requests),
            "input_tokens": file.input_tokens,
            "left_out": left_out,
            "reserved_usd": sum(request.most_usd for request in file.requests),
        }
        rows = [
            {
                "intent_id": batch.intent_id,
                "call_id": request.call_id,
                "row_no": number,
                "content_hash": row.key,
                "enrichments": ",".join(row.owed),
                "asked_as": asked_as(request.pack.questions),
            }
            for request in file.requests
            for number, row in enumerate(request.pack.rows)
        ]
        calls = [request.intended(self.run) for request in file.requests]
        append(self.warehouse, "ops.llm_batches", [{**vars(self.run), **vars(batch), **more}])
        append(self.warehouse, "ops.llm_batch_rows", rows)
        append(self.warehouse, "ops.llm_calls", calls)
        return batch

    def uploaded(self, batch: Batch, file_id: str) -> Batch:
        """Note under which id its file lies at the service."""
        self.warehouse.transact(
            [("update ops.llm_batches set file_id = ? where intent_id = ?", (file_id, batch.intent_id))]
        )
        return replace(batch, file_id=file_id)

    def submitted(self, batch: Batch, batch_id: str) -> Batch:
        """Note under which id the service has taken it."""
        if batch.batch_id:
            return batch
        self.warehouse.transact(
            [
                (
                    "update ops.llm_batches set status = 'submitted', batch_id = ?, submitted_at = ?"
                    " where intent_id = ?",
                    (batch_id, utc_now(), batch.intent_id),
                ),
                (
                    "update ops.llm_calls set batch_id = ?"
                    " where call_id in (select call_id from ops.llm_batch_rows where intent_id = ?)",
                    (batch_id, batch.intent_id),
                ),
            ]
        )
        return replace(batch, batch_id=batch_id)

    # On its way back

    def sent(self, call_ids: Sequence[str], registry: Registry, model: Model) -> dict[str, Sent]:
        """Return those of the requests that have not come to an end, as they were sent."""
        marks = ", ".join("?" * len(call_ids))
        found = self.warehouse.rows(
            "select sent.call_id, sent.content_hash, sent.enrichments, sent.asked_as, calls.reserved_usd,"
            " items.text, items.rating"
            " from ops.llm_batch_rows as sent join ops.llm_calls as calls on calls.call_id = sent.call_id"
            " left join (select content_hash, max(text) as text, max(rating) as rating from feedback.items"
            f" where content_hash in (select content_hash from ops.llm_batch_rows where call_id in ({marks}))"
            " group by content_hash) as items on items.content_hash = sent.content_hash"
            f" where sent.call_id in ({marks}) and sent.outcome is null order by sent.call_id, sent.row_no",
            (*call_ids, *call_ids),
        )
        by_call: dict[str, list[dict[str, Any]]] = {}
        for row in found:
            by_call.setdefault(row["call_id"], []).append(row)
        return {call_id: _sent(rows, registry, model) for call_id, rows in by_call.items()}

    def settle(self, calls: Sequence[Mapping[str, Any]], outcomes: Mapping[str, str]) -> None:
        """Note how requests ended: of each its row of ``ops.llm_calls`` as far as it has changed, and a word."""
        settled = incoming(self.warehouse, "ops.llm_calls", calls)
        changed = [name for name in calls[0] if name != "call_id"]
        words = [{"call_id": call_id, "outcome": word} for call_id, word in outcomes.items()]
        self.warehouse.transact(
            [
                f"update ops.llm_calls set {', '.join(f'{name} = settled.{name}' for name in changed)}"
                " from incoming.settled as settled where ops.llm_calls.call_id = settled.call_id",
                "update ops.llm_batch_rows set outcome = words.outcome"
                " from incoming.words as words where ops.llm_batch_rows.call_id = words.call_id",
            ],
            {"settled": settled, "words": incoming(self.warehouse, "ops.llm_batch_rows", words)},
        )

    def cost_usd(self, batch: Batch) -> float:
        """Return what a batch has cost."""
        found = self.warehouse.rows(
            "select coalesce(sum(cost_usd), 0) as usd from ops.llm_calls"
            " where call_id in (select call_id from ops.llm_batch_rows where intent_id = ?)",
            (batch.intent_id,),
        )
        return float(found[0]["usd"])

    def give_up_rest(self, batch: Batch, word: str, calls: str) -> None:
        """Note that no answer will come to the requests that have none yet, and why.

        :param calls: what their calls are: ``failed`` cost nothing, ``lost`` may have cost what was held.
        """
        of_it = "call_id in (select call_id from ops.llm_batch_rows where intent_id = ? and outcome is null)"
        cost = "0" if calls == "failed" else "reserved_usd"
        self.warehouse.transact(
            [
                (
                    f"update ops.llm_calls set status = ?, cost_usd = {cost}, finished_at = ? where {of_it}",
                    (calls, utc_now(), batch.intent_id),
                ),
                (
                    "update ops.llm_batch_rows set outcome = ? where intent_id = ? and outcome is null",
                    (word, batch.intent_id),
                ),
            ]
        )

    def end(self, batch: Batch, status: str, reason: str | None = None) -> None:
        """Note that a batch is done with. Its rows are kept where this run has yet to stage their answers."""
        is_awaited = batch.run_id == self.run.run_id and status != "dropped"
        self.warehouse.transact(
            [
                (
                    "update ops.llm_batches set status = ?, reason = ?, ended_at = ? where intent_id = ?",
                    (status, reason, utc_now(), batch.intent_id),
                ),
                *([] if is_awaited else [("delete from ops.llm_batch_rows where intent_id = ?", (batch.intent_id,))]),
            ]
        )


def _sent(rows: Sequence[Mapping[str, Any]], registry: Registry, model: Model) -> Sent:
    """Make a request again. A text that is gone leaves an empty row in its place, so that the others keep theirs."""
    first, asked = rows[0], tuple(named(rows[0]))
    questions = registry.questions(asked)
    return Sent(
        pack=Pack(tuple(Row(row["text"] or "", row["rating"], asked) for row in rows), questions, model),
        texts=frozenset(row["content_hash"] for row in rows if row["text"]),
        is_as_asked=first["asked_as"] == asked_as(questions),
        held_usd=first["reserved_usd"],
    )
