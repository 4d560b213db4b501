"""One request until it is answered or given up: paced, inside the budget, tried again, each attempt in the ledger."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from feedback.errors import CredentialRefused, ServiceUnreachable, SettingError
from feedback.llm.budget import Budget
from feedback.llm.ledger import Ledger
from feedback.llm.pace import Limiter
from feedback.llm.pack import Pack
from feedback.llm.prices import Usage
from feedback.llm.service import Fault, Reply, Service
from feedback.llm.usual import Usual

ATTEMPTS = 4
"""How often a request is tried that fails in passing."""

THROTTLES = 20
"""How often a request may be told that it comes too soon."""

SILENCE = 3
"""So many requests given up in a row, none answered between them: it is the service, not the requests."""

LONGEST_PAUSE_S = 300.0
"""A service that asks for a longer rest has no more for us today."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class Stopped(Exception):
    """Nothing more can be asked in this run. Its text is the reason: budget, out_of_money, rate_limit or service."""


class Unanswered(Exception):
    """This request, as it stands, gets no answer; others may. Its text is the reason."""


class Caller:
    """Sends packs, many at a time."""

    def __init__(
        self, service: Service, limiter: Limiter, budget: Budget, ledger: Ledger, first_wait_s: float = FIRST_WAIT_S
    ):
        self.service, self.limiter, self.budget, self.ledger = service, limiter, budget, ledger
        self.first_wait_s = first_wait_s
        self.usual = Usual()
        self.answered = 0
        """How many requests were answered: the proof that the service is alive."""
        self._given_up_since = 0

    async def send(self, pack: Pack, purpose: str | None = None) -> tuple[str, Reply]:
        """Return the id of the call that was answered, and its answer.

        :param purpose: of the call; the ledger's where None.
        :raises Stopped: nothing more can be asked.
        :raises Unanswered: this pack gets no answer.
        :raises ServiceUnreachable: nobody answers.
        """
        tried = throttled = 0
        answered_before = self.answered
        while True:
            call_id = uuid.uuid4().hex
            try:
                return call_id, await self._attempt(call_id, pack, tried + throttled + 1, purpose)
            except Fault as fault:
                if fault.code == "out_of_money":
                    raise Stopped("out_of_money") from None
                if fault.is_throttle:
                    throttled += 1
                    self._rest(fault, throttled)
                elif fault.is_passing:
                    tried += 1
                    if tried == ATTEMPTS:
                        raise self._given_up(fault, self.answered > answered_before) from None
                    await asyncio.sleep(self._wait(fault, tried, call_id))
                else:
                    # A filter of contents is a considered answer of a working service.
                    self.answered += fault.code == "content_filter"
                    raise Unanswered(fault.code) from None

    async def _attempt(self, call_id: str, pack: Pack, attempt: int, purpose: str | None) -> Reply:
        expected, limit = pack.input_tokens + self.usual.output(pack), self.usual.limit(pack)
        held = pack.most_usd(limit)
        await self.limiter.take(expected)
        try:
            if not await self.budget.hold(held):
                raise Stopped("budget")
            is_flex = self.service.mode == "flex" and pack.model.flex is not None
            self.ledger.intend(call_id, pack.model, pack.questions.versions, len(pack.rows), attempt, held, purpose)
            reply = await self._asked(call_id, pack.body(limit, is_flex), held)
        finally:
            self.limiter.land()
        self.answered += 1
        cost, unused = held, 0
        if reply.usage:
            cost = pack.model.cost(reply.usage, reply.is_flex)
            unused = expected - reply.usage.input_tokens - reply.usage.output_tokens
            self.usual.note(pack, reply.usage.output_tokens, reply.finish_reason == "length")
        self.limiter.answered(unused, reply.headers)
        await self._settle(call_id, held, "settled", cost, reply.usage, 200)
        return reply

    async def _asked(self, call_id: str, body: Mapping[str, Any], held: float) -> Reply:
        """Ask the service; note what a request without an answer costs."""
        try:
            return await self.service.ask(body)
        except Fault as fault:
            status = "lost" if fault.was_sent else "failed"
            await self._settle(call_id, held, status, fault.was_sent * held, None, fault.status)
            raise
        except (CredentialRefused, SettingError):
            await self._settle(call_id, held, "failed", 0.0, None, None)
            raise

    async def _settle(
        self, call_id: str, held: float, status: str, cost: float, usage: Usage | None, http: int | None
    ) -> None:
        self.ledger.settle(call_id, status, cost, usage, http)
        await self.budget.settle(held, cost)

    def _rest(self, fault: Fault, times: int) -> None:
        """Let nobody send for as long as the service asks."""
        pause = fault.retry_after if fault.retry_after is not None else self._backoff(times)
        if pause > LONGEST_PAUSE_S or times > THROTTLES:
            raise Stopped("rate_limit") from None
        self.limiter.refused(pause, fault.headers)

    def _wait(self, fault: Fault, times: int, call_id: str) -> float:
        """Return how long this request waits, spread so that those that failed together do not return together."""
        spread = 0.5 + int(call_id[:4], 16) / 0xFFFF / 2
        return min(LONGEST_WAIT_S, max(fault.retry_after or 0.0, self._backoff(times) * spread))

    def _backoff(self, times: int) -> float:
        return min(LONGEST_WAIT_S, self.first_wait_s * 2.0 ** (times - 1))

    def _given_up(self, fault: Fault, others_were_answered: bool) -> Exception:
        """Say whose fault it is: the request's, or the service's."""
        self._given_up_since = 0 if others_were_answered else self._given_up_since + 1
        if not others_were_answered and not fault.status and not fault.was_sent:
            endpoint = self.service.endpoint
            return ServiceUnreachable(
                f"connection {endpoint.conn_id}: nobody answers at {endpoint.address}: check its host and the network;"
                " what was answered before is kept"
            )
        return Stopped("service") if self._given_up_since >= SILENCE else Unanswered("service")
