"""Posts to Slack, each exactly once.

Slack has no key that makes a call idempotent. So a post is a row first; whoever sends it marks the row as his;
it carries its key as metadata; and where nobody knows whether it arrived, the channel is read before it is sent
again. What Slack refuses stays planned. What is posted and says something else by now is changed where it stands.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from feedback.errors import ConnectionMissing, SettingError
from feedback.model import digest, utc_now
from feedback.notifications.calling import Closed, Failed, Refused, Unsaid, Unsent, called
from feedback.warehouse.base import Warehouse

if TYPE_CHECKING:
    from slack_sdk import WebClient

log = logging.getLogger(__name__)

EVENT = "feedback_post"
AT_WORK = timedelta(minutes=2)
"""So long a sender may be at work before another looks what became of it: a call takes a minute at most."""

SKEW = timedelta(minutes=2)
"""Our clock and Slack's differ by less."""

PAGES = 20
"""So many of a channel's pages are read at most: they cover minutes, not days."""

UNKNOWN = ("posting", "ambiguous")
"""What may stand in the channel: somebody is at work on it or died of it; it was sent, and no answer came."""

NO_CHANNEL = ("channel_not_found", "is_archived")
GONE = ("message_not_found", "cant_update_message", "edit_window_closed", *NO_CHANNEL)
"""Why a post stays as it is: people have removed it or its channel, or it is too old."""

NO_THREAD = ("thread_not_found", "message_not_found", "cannot_reply_to_message", *NO_CHANNEL)
"""Why there is nowhere to reply: people have removed the first message or its channel."""

PLAN = """
    merge into ops.posts as tgt using (select ? as post_key) as src on tgt.post_key = src.post_key
    when not matched then insert (post_key, kind, channel, thread_key, status, body_sha, run_id, updated_at)
    values (src.post_key, ?, ?, ?, 'planned', ?, ?, ?)
"""
TAKE = """
    update ops.posts set
        status = 'posting', attempt = ?, channel = ?, run_id = ?, body_sha = ?, taken_at = ?,
        tried_at = case when status = 'planned' then ? else tried_at end
    where post_key = ?
        and (status = 'planned' or (status in ('posting', 'ambiguous') and coalesce(taken_at, updated_at) < ?))
"""
ROW = "select status, attempt, ts, coalesce(tried_at, updated_at) as tried_at from ops.posts where post_key = ?"
TRY = "update ops.posts set tried_at = ?, taken_at = ? where post_key = ? and attempt = ?"
END = "update ops.posts set status = ?, ts = coalesce(?, ts) where post_key = ? and attempt = ?"


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


def sha(body: Mapping[str, Any]) -> str:
    """Return the hash of what is said."""
    return digest(json.dumps(body, ensure_ascii=False))


def send(warehouse: Warehouse, client: Callable[[], WebClient], posts: Iterable[Post]) -> int:
    """Send what has not been sent, in order; return how many were.

    A post that Slack refuses, or fails at, holds back no other, a channel that is closed to the app holds back its
    own; where Slack is away nothing is sent. What was not sent waits for the next call.
    """
    sent = 0
    closed: set[str] = set()
    for post in posts:
        if post.channel in closed:
            continue
        try:
            sent += _send(warehouse, client, post)
        except Unsaid as reason:
            log.warning("%s waits: %s; triage_digest sends it again", post.key, reason)
            if isinstance(reason, Closed):
                closed.add(post.channel)
            elif not isinstance(reason, (Refused, Failed)):
                break
    return sent


def _send(warehouse: Warehouse, client: Callable[[], WebClient], post: Post) -> bool:
    now = utc_now()
    plan = (post.key, post.kind, post.channel, post.thread_key, sha(post.body), post.run_id, now)
    warehouse.transact([(PLAN, plan)])
    before = warehouse.rows(ROW, (post.key,))[0]
    attempt = uuid.uuid4().hex
    taken = (attempt, post.channel, post.run_id, sha(post.body), now, now, post.key, now - AT_WORK)
    warehouse.transact([(TAKE, taken)])
    if not _is_ours(warehouse, post, attempt):
        return False
    try:
        ts = _say(warehouse, _client(client), post, before, attempt)
    except Unsaid as reason:
        # A refusal to show the channel says nothing about what was sent before.
        is_unsent = before["ts"] or (isinstance(reason, Unsent) and before["status"] not in UNKNOWN)
        warehouse.transact([(END, ("planned" if is_unsent else "ambiguous", None, post.key, attempt))])
        raise
    warehouse.transact([(END, ("posted", ts, post.key, attempt))])
    return ts is not None


def _is_ours(warehouse: Warehouse, post: Post, attempt: str) -> bool:
    return bool(warehouse.rows(ROW, (post.key,))[0]["attempt"] == attempt)


def _say(warehouse: Warehouse, client: WebClient, post: Post, before: Mapping[str, Any], attempt: str) -> str | None:
    """Return where the post stands now, None where people have removed the thread it belongs to, or its channel."""
    thread_ts = _thread(warehouse, post)
    try:
        if before["ts"]:
            return _change(client, post, before["ts"])
        if before["status"] in UNKNOWN:
            found = _found(client, post, before["tried_at"], thread_ts)
            return found or _again(warehouse, client, post, thread_ts, attempt)
        return _post(client, post, thread_ts)
    except Refused as reason:
        if thread_ts is None or str(reason) not in NO_THREAD:
            raise
        log.warning("%s is told to nobody: its thread in %s is gone (%s)", post.key, post.channel, reason)
        return None


def _client(client: Callable[[], WebClient]) -> WebClient:
    try:
        return client()
    except (ConnectionMissing, SettingError) as reason:
        raise Closed(str(reason)) from None


def _thread(warehouse: Warehouse, post: Post) -> str | None:
    if post.thread_key is None:
        return None
    found = warehouse.rows(ROW, (post.thread_key,))
    if not found or found[0]["ts"] is None:
        raise Refused("the first message is not posted yet")
    return str(found[0]["ts"])


def _again(warehouse: Warehouse, client: WebClient, post: Post, thread_ts: str | None, attempt: str) -> str:
    """Post what is known not to stand there; from now on it may.

    :raises Refused: reading took so long that another sender has taken it.
    """
    now = utc_now()
    warehouse.transact([(TRY, (now, now, post.key, attempt))])
    if not _is_ours(warehouse, post, attempt):
        raise Refused("another sender has it")
    return _post(client, post, thread_ts)


def _post(client: WebClient, post: Post, thread_ts: str | None) -> str:
    """Post once, never again by itself.

    :raises Refused: it was not posted.
    :raises Unsaid: nobody knows whether it arrived.
    """
    answer = called(
        client.chat_postMessage,
        channel=post.channel,
        thread_ts=thread_ts,
        unfurl_links=False,
        unfurl_media=False,
        metadata=_metadata(post),
        **post.body,
    )
    return str(answer["ts"])


def _change(client: WebClient, post: Post, ts: str) -> str:
    """Let the post at ``ts`` say what is to be said; done twice it is the same."""
    try:
        called(client.chat_update, channel=post.channel, ts=ts, metadata=_metadata(post), **post.body)
    except Refused as reason:
        if str(reason) not in GONE:
            raise
        log.warning("%s is not changed in %s: %s", post.key, post.channel, reason)
    return ts


def _found(client: WebClient, post: Post, sent_at: datetime, thread_ts: str | None) -> str | None:
    """Return the post where it stands in the channel already, sent by an attempt that did not live to say so.

    :raises Unsaid: the channel cannot be read, or not to the end, so it must not be sent.
    """
    about: dict[str, Any] = {
        "channel": post.channel,
        "oldest": _slack_time(sent_at - SKEW),
        "latest": _slack_time(sent_at + AT_WORK + SKEW),
        "limit": 200,
        "include_all_metadata": True,
    }
    read = partial(client.conversations_replies, ts=thread_ts) if thread_ts else client.conversations_history
    for _ in range(PAGES):
        answer = called(read, **about)
        for message in answer["messages"]:
            said = (message.get("metadata") or {}).get("event_payload", {})
            if said.get("key") == post.key:
                ts = str(message["ts"])
                return ts if said.get("sha") == sha(post.body) else _change(client, post, ts)
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return None
        about["cursor"] = cursor
    raise Refused("the channel is too busy to see what became of it")


def _metadata(post: Post) -> dict[str, Any]:
    return {"event_type": EVENT, "event_payload": {"key": post.key, "sha": sha(post.body)}}


def _slack_time(instant: datetime) -> str:
    return f"{instant.replace(tzinfo=UTC).timestamp():.6f}"
