"""Whether a Slack connection can do what is asked of it: token, scopes, membership, kind of app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from feedback.errors import FeedbackError
from feedback.sources.base import Finding
from feedback.sources.slack_api.calls import SEEN_ATTEMPTS, Calls, Refused
from feedback.sources.slack_api.channels import EVERY, Channels
from feedback.sources.slack_api.throttle import PAGE, throttled
from feedback.sources.slack_api.walk import MESSAGES_A_PAGE, messages
from feedback.sources.slack_channels import Channel

if TYPE_CHECKING:
    from feedback.sources.slack_api.source import SlackApi

NEEDED = ("channels:read", "channels:history", "users:read")
NEEDED_FOR_PRIVATE = ("groups:read", "groups:history")
EMAIL = "users:read.email"
SHOWN = 5


def examine(source: SlackApi) -> Iterator[Finding]:
    """Yield what a person should know or mend before the next run, one line each."""
    conn_id = source.conn_id
    try:
        if (calls := source.calls(SEEN_ATTEMPTS)) is None:
            line = "not set: FEEDBACK_SLACK_CHANNELS names private channels of the export, nothing is read by API"
            yield Finding(conn_id, None, line)
            return
        identity = calls("auth.test")
        line = f"{identity.get('url')} knows the token, as {identity.get('user')} in {identity.get('team')}"
        yield Finding(conn_id, True, line)
        yield from _scopes(calls, source)
        channels = Channels(calls, source.channels)
        yield from _channels(channels, source.name)
        if channels.chosen:
            yield from _first_words(calls, channels.chosen[0], conn_id)
    except FeedbackError as error:
        yield Finding(conn_id, False, str(error).removeprefix(f"{conn_id}: "))


def _scopes(calls: Calls, source: SlackApi) -> Iterator[Finding]:
    """Slack names the scopes of a token with each answer."""
    if not calls.scopes:
        return
    for scope in NEEDED:
        if scope not in calls.scopes:
            line = f"lacks the scope {scope}: add it under OAuth & Permissions and install the app again"
            yield Finding(source.conn_id, False, line)
    if EMAIL in calls.scopes and not source.store_emails:
        line = f"has the scope {EMAIL}, which is not needed: addresses are not stored"
        yield Finding(source.conn_id, None, line)
    missing = [scope for scope in NEEDED_FOR_PRIVATE if scope not in calls.scopes]
    if missing and set(source.channels) != {EVERY}:
        yield Finding(source.conn_id, None, f"sees no private channel, for want of {' and '.join(missing)}")


def _channels(channels: Channels, name: str) -> Iterator[Finding]:
    for gap in channels.gaps(name):
        yield Finding(name, False if gap.status == "failed" else None, gap.detail)
    chosen = [f"#{channel.name}" for channel in channels.chosen]
    more = f" and {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else ""
    nothing = "FEEDBACK_SLACK_CHANNELS names no channel that can be read: type /invite @<app> in those that should be"
    yield Finding(name, bool(chosen), f"reads {', '.join(chosen[:SHOWN])}{more}" if chosen else nothing)


def _first_words(calls: Calls, channel: Channel, conn_id: str) -> Iterator[Finding]:
    """Read a page and a thread: only that tells what kind of app it is, and that a bot may read replies."""
    try:
        page = calls("conversations.history", channel=channel.id, limit=MESSAGES_A_PAGE)
        found = messages(page)
        if page.get("has_more") and len(found) <= PAGE:
            yield Finding(conn_id, False, throttled(conn_id).removeprefix(f"{conn_id}: "))
        elif found:
            calls("conversations.replies", channel=channel.id, ts=found[0]["ts"], limit=1)
            yield Finding(conn_id, True, f"messages and replies of #{channel.name} can be read")
    except Refused as refused:
        yield Finding(conn_id, False, f"#{channel.name} cannot be read ({refused.code})")
