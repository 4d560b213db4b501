"""The Batch API of a service, through the ``openai`` client: files of requests go in, files of answers come out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

from feedback.errors import CredentialRefused, LimitReached, ServiceUnreachable, SettingError
from feedback.llm.service import OUT_OF_MONEY, Endpoint, Service, code_of

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

ENDPOINT = "/v1/chat/completions"
WINDOW = "24h"
INTENT = "feedback_intent"
"""Under this name the service keeps our intent with the batch: by it a batch is found whose id we never learnt."""

INSTEAD = "set FEEDBACK_LLM_MODE to online or flex, or correct the connection's host"
CLOCKS_DIFFER = timedelta(minutes=10)
"""A batch may seem to be older than its intent by this much."""


@dataclass(frozen=True)
class State:
    """A batch as the service tells of it.

    :param done: requests that have been answered or refused, of ``total``.
    :param files: where its answers and its errors are, once it is over.
    :param reason: why the service refused the whole, as a code.
    """

    batch_id: str
    status: str
    done: int
    total: int
    files: tuple[str, ...]
    reason: str | None

    @property
    def progress(self) -> str:
        """How far it is, for a person."""
        return f"{self.done:,} of {self.total:,} requests done"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ("completed", "failed", "expired", "cancelled")


class BatchService(Service):
    """Asks one endpoint for batches. Never retries by itself: a second submit could be paid twice.

    Every method raises ``CredentialRefused`` for a refused key, ``SettingError`` where there is no Batch API or it
    refuses what we send, and, where a retry may help, ``LimitReached`` or ``ServiceUnreachable``.
    """

    def __init__(self, endpoint: Endpoint):
        super().__init__(endpoint, "batch")

    async def offered(self) -> None:
        """Ask for one batch of any kind, which costs nothing and shows that there is a Batch API."""
        with self._in_our_words():
            await self._client.batches.list(limit=1)

    async def upload(self, name: str, content: BinaryIO) -> str:
        """Hand a file of requests over; return its id."""
        with self._in_our_words():
            file = await self._client.files.create(file=(name, content, "application/jsonl"), purpose="batch")
            return file.id

    async def find_file(self, name: str) -> str | None:
        """Return the id of a file that was handed over under a name, if it was."""
        with self._in_our_words():
            async for file in self._client.files.list(purpose="batch"):
                if file.filename == name:
                    return file.id
        return None

    async def submit(self, file_id: str, intent_id: str) -> State:
        """Have an uploaded file worked on."""
        with self._in_our_words():
            batch = await self._client.batches.create(
                input_file_id=file_id, endpoint=ENDPOINT, completion_window=WINDOW, metadata={INTENT: intent_id}
            )
            return _state(batch)

    async def find(self, intent_id: str, since: datetime) -> State | None:
        """Return the batch that carries an intent of that time (UTC), if the service has one."""
        oldest = (since - CLOCKS_DIFFER - datetime(1970, 1, 1)).total_seconds()
        with self._in_our_words():
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(INTENT) == intent_id:
                    return _state(batch)
                if batch.created_at < oldest:
                    break
        return None

    async def state(self, batch_id: str) -> State | None:
        """Return how a batch stands; None where the service knows it not."""
        import openai

        with self._in_our_words():
            try:
                return _state(await self._client.batches.retrieve(batch_id))
            except openai.NotFoundError:
                return None

    async def cancel(self, batch_id: str) -> None:
        """Ask for an end, which comes within minutes; what is done by then is paid and can be fetched."""
        import openai

        with self._in_our_words(), contextlib.suppress(openai.ConflictError, openai.BadRequestError):  # it is over
            await self._client.batches.cancel(batch_id)

    async def fetch(self, file_id: str, to: BinaryIO) -> bool:
        """Copy a file of answers; return whether it is there.

        Its lines end with a line feed and nothing else, where the client would also cut inside a customer's words.
        """
        import openai

        with self._in_our_words(), contextlib.suppress(openai.NotFoundError):
            async with self._client.files.with_streaming_response.content(file_id) as response:
                async for part in response.iter_bytes():
                    to.write(part)
            return True
        return False

    async def forget(self, file_id: str) -> None:
        """Delete a file of ours at the service, if it is there: it holds customers' words."""
        import openai

        with self._in_our_words(), contextlib.suppress(openai.NotFoundError):
            await self._client.files.delete(file_id)

    @contextlib.contextmanager
    def _in_our_words(self) -> Iterator[None]:
        import httpx2
        import openai

        try:
            yield
        except (openai.APIConnectionError, httpx2.TransportError):
            raise ServiceUnreachable(f"{self.endpoint}: its Batch API does not answer; nothing is lost") from None
        except openai.APIStatusError as error:
            raise self._no(error) from None
        except (AttributeError, TypeError, ValueError):
            raise SettingError(f"{self.endpoint} answers as no Batch API does: {INSTEAD}") from None

    def _no(self, error: openai.APIStatusError) -> Exception:
        where, status, code = self.endpoint, error.status_code, code_of(error.code, "refused")
        if status in (401, 403):
            return CredentialRefused(f"{where} refused its key (HTTP {status}): correct the connection's password")
        if any(sign in str(error.body) for sign in OUT_OF_MONEY):
            return LimitReached(f"{where} has no more credit for us ({code}): raise it there; nothing is lost")
        if status == 429:
            return LimitReached(f"{where} takes no more batches for now (HTTP 429: {code}); nothing is lost")
        if status in (408, 409) or status >= 500:
            return ServiceUnreachable(f"{where}: its Batch API fails (HTTP {status}: {code}); nothing is lost")
        return SettingError(
            f"{where} does not do what FEEDBACK_LLM_MODE=batch asks of it (HTTP {status}: {code}): {INSTEAD}"
        )


def _state(batch: Batch) -> State:
    counts = batch.request_counts
    errors = (batch.errors and batch.errors.data) or []
    return State(
        batch_id=batch.id,
        status=batch.status,
        done=counts.completed + counts.failed if counts else 0,
        total=counts.total if counts else 0,
        files=tuple(file for file in (batch.output_file_id, batch.error_file_id) if file),
        reason=next((code_of(error.code, "refused") for error in errors), None),
    )
