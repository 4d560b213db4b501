"""The one place that talks to a model's service: the ``openai`` client, its answers and its refusals in our words."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from feedback.address import is_loopback, refuse_in_the_clear, shown
from feedback.errors import ConnectionMissing, CredentialRefused, ServiceUnreachable, SettingError
from feedback.llm.prices import Usage

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"
CONNECT_S = 10.0
ANSWER_S = {"online": 120.0, "flex": 900.0, "batch": 300.0, "offline": 120.0}
"""Longest wait for an answer; the provider asks for 900 s in mode flex, and takes its time over a large file."""

MOST_TOKENS = 10**9
"""No call has more; a service that counts more has miscounted."""

TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length", "context window")
"""How services say that a request is longer than the model's window."""

OUT_OF_MONEY = ("insufficient_quota", "billing_hard_limit_reached")


@dataclass(frozen=True)
class Endpoint:
    """Where models are asked, and as whom.

    :raises ConnectionMissing: there is no key for a service that needs one.
    :raises SettingError: a key would travel in the clear.
    """

    conn_id: str
    base_url: str
    api_key: str = field(repr=False)
    allow_http: Sequence[str] = ()

    def __post_init__(self) -> None:
        refuse_in_the_clear(self.conn_id, self.base_url, OPENAI_URL, self.allow_http)
        if not self.api_key and not self.is_loopback:
            raise ConnectionMissing(
                f"connection {self.conn_id} has no password: set it to the API key of {self.address}"
            )

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, where nothing costs money."""
        return is_loopback(self.base_url)

    def reached(self) -> str:
        """Ask for the list of models, which costs nothing; return how the service answers.

        :raises CredentialRefused: it refuses the key.
        :raises ServiceUnreachable: nobody answers.
        """
        import httpx2
        import openai

        url = f"{self.base_url.rstrip('/')}/models"
        key = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        try:
            with openai.DefaultHttpx2Client(**self.transport, timeout=CONNECT_S) as client:
                status = client.get(url, headers=key).status_code
        except httpx2.TransportError as error:
            raise ServiceUnreachable(f"{self}: nobody answers ({type(error).__name__}): check its host") from None
        if status in (401, 403):
            raise CredentialRefused(f"{self} refused its key (HTTP {status}): correct the connection's password")
        return f"HTTP {status}"

    @property
    def transport(self) -> dict[str, bool]:
        """How to connect: a key never follows to another host, and no proxy can reach our loopback."""
        return {"follow_redirects": False, "trust_env": not self.is_loopback}

    @property
    def address(self) -> str:
        """Which service it is, as it may be stored and told."""
        return shown(self.base_url)

    def __str__(self) -> str:
        return f"connection {self.conn_id} at {self.address}"


@dataclass(frozen=True)
class Reply:
    """An answer that came. ``usage`` is None where the service did not count."""

    content: str
    finish_reason: str
    usage: Usage | None
    is_flex: bool
    headers: Mapping[str, str]


class Fault(Exception):
    """A request that got no answer. Its text names status and code only.

    :param status: HTTP status; None where none came.
    :param was_sent: whether the service may have worked, and charge for it.
    :param headers: of the refusal; ``retry_after``: seconds it asks us to wait.
    """

    def __init__(
        self, code: str, status: int | None = None, *, was_sent: bool = False, headers: Mapping[str, str] | None = None
    ):
        super().__init__(f"HTTP {status}: {code}" if status else code)
        self.code, self.status, self.was_sent = code, status, was_sent
        self.headers = headers or {}
        self.retry_after = _retry_after(self.headers)

    @property
    def is_throttle(self) -> bool:
        return self.status == 429

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered a little later."""
        return self.status is None or self.status in (408, 409) or self.status >= 500


class Service:
    """Asks one endpoint. Used as an async context; never retries by itself."""

    def __init__(self, endpoint: Endpoint, mode: str):
        self.endpoint = endpoint
        self.mode = mode

    async def __aenter__(self) -> Self:
        import openai

        # At DEBUG it writes whole requests, customers' words and all; the line a request of its transport says nothing.
        logging.getLogger("openai").setLevel(logging.INFO)
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        self._client = openai.AsyncOpenAI(
            api_key=self.endpoint.api_key or "none",  # never None: the client would look for one in the environment
            base_url=self.endpoint.base_url,
            max_retries=0,
            timeout=openai.Timeout(ANSWER_S[self.mode], connect=CONNECT_S),
            http_client=openai.DefaultAioHttpClient(**self.endpoint.transport),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def ask(self, body: Mapping[str, Any]) -> Reply:
        """Send a request once.

        :raises Fault: no answer came.
        :raises CredentialRefused: the key is refused.
        :raises SettingError: the endpoint or the model is not there.
        """
        import httpx2
        import openai
        from pydantic_core import to_json

        try:
            # Not `chat.completions.create`: that checks each value of a body we have made, for more than its sending.
            sent = to_json(body)
            response = await self._client.post("/chat/completions", cast_to=httpx2.Response, content=sent)
        except openai.APIConnectionError as error:
            # A service that took the request may charge for it, whatever became of the answer.
            if type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout"):
                raise Fault("no_connection") from None
            raise Fault("no_answer", was_sent=True) from None
        except openai.APIStatusError as error:
            raise self._refused(error, str(body["model"])) from None
        try:
            return reply_of(response.json(), response.headers)
        except (ValueError, TypeError, AttributeError, LookupError):
            raise Fault("no_chat_completion", response.status_code, was_sent=True) from None

    def _refused(self, error: openai.APIStatusError, model: str) -> Exception:
        where = self.endpoint
        status = error.status_code
        if status in (401, 403):
            return CredentialRefused(f"{where} refused its key (HTTP {status}): correct the connection's password")
        if status == 404:
            return SettingError(f"{where} knows no model {model} (HTTP 404): correct FEEDBACK_LLM_MODEL or the host")
        if 300 <= status < 400:
            return SettingError(f"{where} redirects (HTTP {status}), which we do not follow: set the final address")
        told = str(error.body)
        if any(sign in told for sign in TOO_LONG):
            return Fault("too_long", status)
        code = "out_of_money" if any(sign in told for sign in OUT_OF_MONEY) else code_of(error.code, "refused")
        return Fault(code, status, headers=error.response.headers)


def reply_of(completion: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    """Return what a chat completion says; a body that is none raises what Python raises."""
    choice = completion["choices"][0]
    message = choice["message"]
    content = message.get("content")
    return Reply(
        content=content if isinstance(content, str) else "",
        finish_reason="refusal" if message.get("refusal") else code_of(choice.get("finish_reason"), "unknown"),
        usage=_usage(completion.get("usage")),
        is_flex=completion.get("service_tier") == "flex",
        headers=headers,
    )


def code_of(said: Any, otherwise: str) -> str:
    """Return a code of the service, as ``reason`` columns and logs may hold it; a text might repeat a customer's."""
    return said if isinstance(said, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", said) else otherwise


def _usage(counted: Mapping[str, Any] | None) -> Usage | None:
    """Return the tokens that a service counted; what is no number of tokens is not counted."""
    if counted is None:
        return None
    read = counted.get("prompt_tokens_details") or {}
    written = counted.get("completion_tokens_details") or {}
    usage = Usage(
        input_tokens=counted.get("prompt_tokens") or 0,
        cached_tokens=read.get("cached_tokens") or 0,
        cache_write_tokens=read.get("cache_write_tokens") or 0,
        output_tokens=counted.get("completion_tokens") or 0,
        reasoning_tokens=written.get("reasoning_tokens") or 0,
    )
    return usage if all(isinstance(count, int) and 0 <= count < MOST_TOKENS for count in vars(usage).values()) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``retry-after-ms`` or ``retry-after``; a date is left to our own waiting."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
