"""The offline model: an OpenAI-compatible server in a thread of this process, so that without a key everything else
is what production runs. Not a language model."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feedback.errors import ServiceUnreachable
from feedback.llm import tokens
from feedback.llm.offline_judge import Judge
from feedback.llm.offline_prompt import questions
from feedback.llm.owed import OFFLINE
from feedback.llm.prices import Model

if TYPE_CHECKING:
    from aiohttp import web

MODEL = Model(OFFLINE, window=10**9, max_output=10**9)
LARGEST_REQUEST = 256 << 20
START_S = 10.0


class OfflineModel:
    """Serves on a random port of 127.0.0.1 while it is entered; only who knows its key is answered.

    :param catalog: kind and name of everything that is known by name.
    """

    def __init__(self, catalog: Sequence[tuple[str, str]] = ()):
        self.catalog = catalog
        self.api_key = secrets.token_hex(16)
        self.base_url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="offline-model", daemon=True)
        self._started = threading.Event()

    def __enter__(self) -> OfflineModel:
        self._thread.start()
        if not self._started.wait(START_S):
            raise ServiceUnreachable(f"the offline model did not start on 127.0.0.1 within {START_S:.0f} s")
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)

    def _serve(self) -> None:
        from aiohttp import web

        async def start() -> web.AppRunner:
            judge = Judge(self.catalog)

            async def chat(request: web.Request) -> web.Response:
                if request.headers.get("Authorization") != f"Bearer {self.api_key}":
                    return web.json_response({"error": {"code": "invalid_api_key"}}, status=401)
                return web.json_response(completion(judge, await request.json()))

            app = web.Application(client_max_size=LARGEST_REQUEST)
            app.router.add_post("/v1/chat/completions", chat)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return runner

        runner = self._loop.run_until_complete(start())
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()


def completion(judge: Judge, body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the body of a chat completion."""
    prompt, rows = (message["content"] for message in body["messages"])
    content = json.dumps({"answers": judge.answers(json.loads(rows)["rows"], questions(prompt))}, ensure_ascii=False)
    counted = {
        "prompt_tokens": tokens.estimate(prompt) + tokens.estimate(rows),
        "completion_tokens": tokens.estimate(content),
    }
    message = {"role": "assistant", "content": content}
    return {
        "id": "offline",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {**counted, "total_tokens": sum(counted.values())},
    }
