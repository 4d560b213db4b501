"""Posts to Slack, each exactly once.

Slack has no key that makes a call idempotent. So a post is a row first; whoever sends it marks the row as his;
it carries its key as metadata; and where nobody knows whether it arrived, the channel is read before it is sent
again. What Slack refuses stays planned.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from feedback.errors import ConnectionMissing, SettingError
from feedback.model import digest, utc_now
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from slack_sdk import WebClient

log = logging.getLogger(__name__)

EVENT = "feedback_post"
AT_WORK = timedelta(minutes=2)
"""So long a sender may be at work before another looks what became of it: twice as long as a call may take."""

SKEW = timedelta(minutes=2)
"""Our clock and Slack's differ by less."""

PAGES = 5
PLAN = """
    merge into ops.posts as tgt using (select ? as post_key) as src on tgt.post_key = src.post_key
    when not matched then insert (post_key, kind, channel, thread_key, status, body_sha, run_id, updated_at)
    values (src.post_key, ?, ?, ?, 'planned', ?, ?, ?)
"""
TAKE = """
    update ops.posts set status = 'posting', attempt = ?, run_id = ?, body_sha = ?, updated_at = ?
    where post_key = ? and (status = 'planned' or (status = 'posting' and updated_at < ?))
"""
ROW = "select status, attempt, ts, channel, updated_at from ops.posts where post_key = ?"
END = "update ops.posts set status = ?, ts = ?, updated_at = ? where post_key = ?"


@dataclass(frozen=True)
class Post:
    """Something to say in a channel.

    :param key: the same thing said has the same.
    :param thread_key: the post in whose thread it stands.
    """

    key: str
    kind: str
    channel: str
    body: dict[str, Any]
    run_id: str
    thread_key: str | None = None


class Unsaid(Exception):
    """A post was not sent, or nobody knows; its text is Slack's word for why."""


def sha(body: Mapping[str, Any]) -> str:
    """Return the hash of what is said."""
    return digest(json.dumps(body, ensure_ascii=False))


def send(warehouse: Warehouse, client: Callable[[], WebClient], posts: Iterable[Post]) -> int:
    """Send what has not been sent, in order; return how many were.

    The first that fails ends it: the rest waits for the next call, as the failed one does.
    """
    sent = 0
    for post in posts:
        try:
            sent += _send(warehouse, client, post)
        except Unsaid as reason:
            log.warning("%s waits: %s; triage_digest sends it again", post.key, reason)
            break
    return sent


def _send(warehouse: Warehouse, client: Callable[[], WebClient], post: Post) -> bool:
    now = utc_now()
    plan = (post.key, post.kind, post.channel, post.thread_key, sha(post.body), post.run_id, now)
    warehouse.transact([(PLAN, plan)])
    before = warehouse.rows(ROW, (post.key,))[0]
    attempt = uuid.uuid4().hex
    warehouse.transact([(TAKE, (attempt, post.run_id, sha(post.body), now, post.key, now - AT_WORK))])
    if warehouse.rows(ROW, (post.key,))[0]["attempt"] != attempt:
        return False
    try:
        slack, thread_ts = client(), _thread(warehouse, post)
        ts = _found(slack, post, before["updated_at"], thread_ts) if before["status"] == "posting" else None
        ts = ts or _post(slack, post, thread_ts)
    except (_Refused, ConnectionMissing, SettingError) as reason:
        warehouse.transact([(END, ("planned", None, utc_now(), post.key))])
        raise Unsaid(str(reason)) from None
    warehouse.transact([(END, ("posted", ts, utc_now(), post.key))])
    return True


class _Refused(Exception):
    """Slack, or what leads to it, said no before anything was posted."""


def _thread(warehouse: Warehouse, post: Post) -> str | None:
    if post.thread_key is None:
        return None
    found = warehouse.rows(ROW, (post.thread_key,))
    if not found or found[0]["ts"] is None:
        raise _Refused("the first message is not posted yet")
    return str(found[0]["ts"])


def _post(client: WebClient, post: Post, thread_ts: str | None) -> str:
    """Post once, never again by itself.

    :raises Unsaid: nobody knows whether it arrived.
    """
    from slack_sdk.errors import SlackApiError

    try:
        answer = client.chat_postMessage(
            channel=post.channel,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT, "event_payload": {"key": post.key}},
            **post.body,
        )
    except SlackApiError as error:
        if error.response.status_code in (200, 429):
            raise _Refused(_word(error)) from None
        raise Unsaid(f"status {error.response.status_code}") from None
    except Exception as error:  # noqa: BLE001 - whatever urllib and ssl raise; it may have arrived
        raise Unsaid(type(error).__name__) from None
    return str(answer["ts"])


def _found(client: WebClient, post: Post, since: datetime, thread_ts: str | None) -> str | None:
    """Return the post where it stands in the channel already, sent by an attempt that did not live to say so.

    :raises Unsaid: the channel cannot be read, so it must not be sent.
    """
    oldest = f"{(since.replace(tzinfo=UTC) - SKEW).timestamp():.6f}"
    about: dict[str, Any] = {"channel": post.channel, "oldest": oldest, "limit": 200, "include_all_metadata": True}
    cursor: str | None = None
    try:
        for _ in range(PAGES):
            page = {**about, **({"cursor": cursor} if cursor else {})}
            answer = (
                client.conversations_replies(ts=thread_ts, **page)
                if thread_ts
                else client.conversations_history(**page)
            )
            for message in answer["messages"]:
                if (message.get("metadata") or {}).get("event_payload", {}).get("key") == post.key:
                    return str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
    except Exception as error:  # noqa: BLE001 - rather late than twice
        raise Unsaid(_word(error)) from None
    return None


def _word(error: Exception) -> str:
    """Return Slack's own word, or the kind of the error; never a text that might repeat a token."""
    answer = getattr(error, "response", None)
    said = answer.get("error") if answer is not None and isinstance(answer.data, dict) else None
    return str(said or type(error).__name__)
