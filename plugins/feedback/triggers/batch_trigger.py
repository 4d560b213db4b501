"""Waits for batches in the triggerer, so that no worker does."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from feedback.errors import FeedbackError
from feedback.hooks.model_endpoint import endpoint_for_trigger
from feedback.llm.batch_service import BatchService, State
from feedback.model import utc_now


class BatchTrigger(BaseTrigger):
    """Fires when every batch is over, when ``until`` has come, or when waiting longer would not help.

    The event says nothing that has to be believed: the task looks for itself, and says what is wrong.

    :param conn_id: connection of type ``openai``; its key is read where the trigger runs and travels nowhere.
    :param batch_ids: the batches, as the service names them.
    :param until: ISO instant, UTC.
    :param allow_http: hosts that may be asked without TLS although they are not this machine.
    :param poll_s: seconds between two looks.
    """

    def __init__(
        self, *, conn_id: str, batch_ids: Sequence[str], until: str, allow_http: Sequence[str] = (), poll_s: float = 30
    ):
        super().__init__()
        self.conn_id = conn_id
        self.batch_ids = batch_ids
        self.until = until
        self.allow_http = allow_http
        self.poll_s = poll_s
        self._told = ""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "feedback.triggers.batch_trigger.BatchTrigger",
            {
                "conn_id": self.conn_id,
                "batch_ids": list(self.batch_ids),
                "until": self.until,
                "allow_http": list(self.allow_http),
                "poll_s": self.poll_s,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        with contextlib.suppress(FeedbackError, AirflowNotFoundException):  # the task will meet the same
            await self._wait()
        yield TriggerEvent({"batch_ids": list(self.batch_ids)})

    async def _wait(self) -> None:
        until = datetime.fromisoformat(self.until)
        async with await self._service() as service:
            while utc_now() < until:
                states = await self._states(service)
                if states is not None and all(state.is_over for state in states):
                    return
                self._tell(states or [])
                await asyncio.sleep(self.poll_s)

    async def _states(self, service: BatchService) -> list[State] | None:
        """Return the batches that the service knows; None where it could not be asked this time."""
        try:
            found = [await service.state(batch_id) for batch_id in self.batch_ids]
        except FeedbackError as error:
            if not error.retryable:
                raise
            self.log.warning("%s", error)
            return None
        return [state for state in found if state]

    def _tell(self, states: Sequence[State]) -> None:
        """Say how far the batches are, where that has changed."""
        line = "; ".join(f"batch {state.batch_id} {state.status}: {state.progress}" for state in states)
        if line not in ("", self._told):
            self._told = line
            done, total = sum(state.done for state in states), sum(state.total for state in states)
            self.log.info("%s", line, done=done, total=total)

    async def on_kill(self) -> None:
        """A person ended, cleared or closed the waiting task: no more is paid than is done by now."""
        async with await self._service() as service:
            for batch_id in self.batch_ids:
                await service.cancel(batch_id)

    async def _service(self) -> BatchService:
        # A second of work, which would hold up every other trigger.
        await asyncio.to_thread(importlib.import_module, "openai")
        return BatchService(await endpoint_for_trigger(self.conn_id, self.allow_http))
