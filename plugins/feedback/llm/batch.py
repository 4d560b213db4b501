"""Batches on their way to a Batch API and back. What must not happen twice is written down before it happens.

Each step may be repeated after anything, by whoever comes next: a crash, another worker, a later run.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from feedback.errors import CredentialRefused, FeedbackError, LimitReached, SettingError
from feedback.llm.batch_file import File, Outcome, Request, files, outcomes
from feedback.llm.batch_out import Batch, batches_out
from feedback.llm.batch_service import BatchService, State
from feedback.llm.batch_store import BatchStore, Sent
from feedback.llm.ledger import Ledger
from feedback.llm.prices import Model, Usage
from feedback.llm.questions import Registry
from feedback.llm.reading import read
from feedback.model import utc_now

OVERDUE = timedelta(hours=25)
"""A service promises to be done in 24 hours. A batch this old is cancelled; what is done of it can be fetched."""

GIVEN_UP = timedelta(hours=26)
"""One this old is lost: it counts at its reservation, and what it asked is owed again."""

GRACE = timedelta(seconds=60)
"""For so long after its intent a batch may be at the service and not in its list yet."""

LOOK_AGAIN_S = 5.0

MOVED = "prompt_moved"
"""What became of a request whose answer nobody can read any more."""

LANDED_AT_ONCE = 500
"""Requests whose answers are read and written together."""


class Batches:
    """The batches of every run at one service.

    :param model_named: what a model costs and holds.
    :param tell: tells a person, as a logger's ``info`` does.
    """

    def __init__(
        self,
        service: BatchService,
        store: BatchStore,
        ledger: Ledger,
        registry: Registry,
        model_named: Callable[[str], Model],
        tell: Callable[..., None],
        grace: timedelta = GRACE,
    ):
        self.service, self.store, self.ledger, self.registry = service, store, ledger, registry
        self.model_named, self.tell, self.grace = model_named, tell, grace

    async def send(self, requests: Iterable[Request], left_out: int) -> list[Batch]:
        """Send requests in as few batches as the limits allow; return what is out. A full queue ends it early."""
        sent: list[Batch] = []
        for file in files(requests, self.store.most_tokens):
            try:
                sent.append(await self._send(file, left_out))
            except LimitReached as limit:
                if not sent:
                    raise
                self.tell("%s; what is not sent waits for the next run", limit)
                break
        return sent

    async def bring_in(self, is_wanted: bool) -> list[Batch]:
        """Land what is over, find again what was interrupted; return what is still out at this service.

        :param is_wanted: whether batches are what we ask by; if not, those that are out are cancelled.
        """
        out = []
        for batch in batches_out(self.store.warehouse):
            if batch.base_url != self.service.endpoint.address:
                self._out_of_reach(batch)
            elif still_out := await self._followed(batch, is_wanted):
                out.append(still_out)
        return out

    # One batch

    async def _send(self, file: File, left_out: int) -> Batch:
        batch = self.store.intend(file, self.service.endpoint.address, left_out)
        try:
            file.content.seek(0)
            batch = self.store.uploaded(batch, await self.service.upload(batch.file_name, file.content))
            state = await self.service.submit(str(batch.file_id), batch.intent_id)
        except (CredentialRefused, LimitReached, SettingError):
            await self._drop(batch)  # the service said no; where it said nothing, it may have taken it
            raise
        self.tell("batch %s is out: %s requests, at most 24 hours", state.batch_id, f"{batch.request_count:,}")
        return self.store.submitted(batch, state.batch_id)

    async def _followed(self, batch: Batch, is_wanted: bool) -> Batch | None:
        """Bring one batch as far as it goes; return it while it is out."""
        state = await (self._known(batch) if batch.batch_id else self._searched(batch))
        if state is None:
            return None
        if state.is_over:
            await self._land(batch, state)
            return None
        if batch.age > GIVEN_UP:
            self._lose(batch, "is not over two hours after its time")
            return None
        if (batch.age > OVERDUE or not is_wanted) and state.status != "cancelling":
            await self.service.cancel(state.batch_id)
            self.tell("batch %s is cancelled; what is done of it will be fetched", state.batch_id)
        else:
            self.tell("batch %s is out: %s", state.batch_id, state.progress)
        return self.store.submitted(batch, state.batch_id)

    async def _known(self, batch: Batch) -> State | None:
        state = await self.service.state(str(batch.batch_id))
        if state is None:
            self._lose(batch, "is not known to the service any more")
        return state

    async def _searched(self, batch: Batch) -> State | None:
        """Find a batch whose id we never learnt, because somebody died as it was sent; drop one that never was."""
        while True:
            state = await self.service.find(batch.intent_id, batch.created_at)
            if state:
                self.tell("batch %s was sent by a task that died; it is followed from here", state.batch_id)
                return state
            if batch.age > self.grace:
                await self._drop(batch)
                return None
            await asyncio.sleep(min(LOOK_AGAIN_S, self.grace.total_seconds()))

    async def _drop(self, batch: Batch) -> None:
        self.store.give_up_rest(batch, "dropped", "failed")
        await self._forget(batch.file_id or await self.service.find_file(batch.file_name))
        self.store.end(batch, "dropped")

    def _lose(self, batch: Batch, why: str) -> None:
        self.store.give_up_rest(batch, "lost", "lost")
        self.store.end(batch, "lost")
        self.tell("batch %s %s: it counts at its reservation, and what it asked is owed again", batch.batch_id, why)

    def _out_of_reach(self, batch: Batch) -> None:
        if batch.age > GIVEN_UP:
            self._lose(batch, f"is at {batch.base_url}, where nobody asks any more")
        else:
            self.tell("batch %s is out at %s: its questions wait for it", batch.batch_id, batch.base_url)

    # Its answers

    async def _land(self, batch: Batch, state: State) -> None:
        """Keep every answer that came, row by row; what is missing is owed again."""
        are_there = True
        for file_id in state.files:
            with tempfile.TemporaryFile() as content:
                are_there &= await self.service.fetch(file_id, content)
                content.seek(0)
                for some in _by(LANDED_AT_ONCE, outcomes(content)):
                    self._keep(batch, some)
        status = "landed" if state.status == "completed" else state.status
        word = state.reason or ("missing" if status == "landed" else status)
        self.store.give_up_rest(batch, word, "failed" if are_there else "lost")
        await self._forget(batch.file_id, *state.files)
        cost_usd = self.store.cost_usd(batch)
        self.store.end(batch, status, state.reason)
        self.tell("batch %s %s: %s, US$ %.4f", state.batch_id, status, state.progress, cost_usd)

    def _keep(self, batch: Batch, some: Sequence[Outcome]) -> None:
        """Write answers to the ledger, then what they cost. Killed in between, the same is written again."""
        sent = self.store.sent([outcome.call_id for outcome in some], self.registry, self.model_named(batch.model))
        calls, words = [], {}
        for outcome in some:
            if request := sent.pop(outcome.call_id, None):
                if request.is_as_asked:
                    self._keep_answers(outcome, request)
                calls.append(_settled(outcome, request))
                words[outcome.call_id] = outcome.word if request.is_as_asked else MOVED
        self.ledger.flush()
        if calls:
            self.store.settle(calls, words)

    def _keep_answers(self, outcome: Outcome, request: Sent) -> None:
        answers = read(outcome.reply.content, request.pack).answers if outcome.reply else {}
        ours = {question: answer for question, answer in answers.items() if question[0] in request.texts}
        self.ledger.keep_pack(request.pack, ours, outcome.call_id)

    async def _forget(self, *file_ids: str | None) -> None:
        """Leave no customer's words at the service. Where that fails, its own period for files ends them."""
        for file_id in file_ids:
            with contextlib.suppress(FeedbackError):
                if file_id:
                    await self.service.forget(file_id)


def _settled(outcome: Outcome, request: Sent) -> dict[str, Any]:
    """Return what changes in the row of a call. An answer whose usage did not come counts at its reservation."""
    usage, model = outcome.reply and outcome.reply.usage, request.pack.model
    if usage:
        status, cost = "settled", model.cost(usage) * model.share("batch")
    elif outcome.status == 200:
        status, cost = "settled" if outcome.reply else "lost", request.held_usd
    else:
        status, cost = "failed", 0.0
    ended = {"status": status, "cost_usd": cost, "http_status": outcome.status, "finished_at": utc_now()}
    return {"call_id": outcome.call_id, **ended, **vars(usage or Usage())}


def _by(size: int, found: Iterable[Outcome]) -> Iterator[list[Outcome]]:
    remaining = iter(found)
    while some := list(islice(remaining, size)):
        yield some
