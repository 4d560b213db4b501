"""Walks over what Slack hands out in pages: lists, the history of a channel, the replies of a thread.

A walk that comes to its end without an error has met everything; only then does absence mean anything. Where
a cursor expires on the way, a walk over messages goes on behind the last one it has met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from feedback.sources.slack_api.calls import Calls, Refused
from feedback.sources.slack_rows import is_message

MESSAGES_A_PAGE = 999
ENTRIES_A_PAGE = {"conversations.list": 999, "users.list": 200}

Message = dict[str, Any]


def entries(calls: Calls, method: str, key: str, **params: Any) -> list[dict[str, Any]]:
    """Return what a list holds, each entry once. A page may be short or empty with more behind it."""
    found: dict[str, dict[str, Any]] = {}
    cursor, has_restarted = None, False
    while True:
        try:
            page = calls(method, limit=ENTRIES_A_PAGE[method], cursor=cursor, **params)
        except Refused as refused:
            if refused.code != "invalid_cursor" or has_restarted:
                raise
            cursor, has_restarted = None, True
            continue
        found |= {entry["id"]: entry for entry in page.get(key) or () if isinstance(entry.get("id"), str)}
        if not (cursor := _next_cursor(page)):
            return list(found.values())


def history(calls: Calls, channel: str, oldest: str, latest: str) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a channel's roots from ``latest`` down to ``oldest``, both included."""
    params = {"channel": channel, "oldest": oldest, "latest": latest, "inclusive": True}
    return _pages(calls, "conversations.history", "latest", params)


def thread(calls: Calls, channel: str, root: str, after: str | None) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a thread's replies, oldest first, each with the root before them."""
    params = {"channel": channel, "ts": root, "oldest": after}
    return _pages(calls, "conversations.replies", "oldest", params)


def messages(page: Mapping[str, Any]) -> list[Message]:
    """Return the messages of a page; what has no timestamp is none."""
    return [message for message in page.get("messages") or () if is_message(message)]


def _pages(calls: Calls, method: str, moving: str, params: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield pages.

    :param moving: the bound that the walk moves towards the other one.
    """
    cursor = None
    met_last = params[moving]
    while True:
        try:
            page = calls(method, limit=MESSAGES_A_PAGE, cursor=cursor, **params)
        except Refused as refused:
            if refused.code != "invalid_cursor" or params[moving] == met_last:
                raise
            cursor, params = None, params | {moving: met_last}
            continue
        yield page
        if found := [message["ts"] for message in messages(page)]:
            met_last = min(found) if moving == "latest" else max(found)
        if not (cursor := _next_cursor(page)):
            return


def _next_cursor(page: Mapping[str, Any]) -> str | None:
    return (page.get("response_metadata") or {}).get("next_cursor") or None
