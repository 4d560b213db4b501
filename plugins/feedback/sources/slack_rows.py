"""Slack's own objects to rows of ``raw.slack_*``. Ids and timestamps stay the strings they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from feedback.model import digest
from feedback.sources.json_file import clean, storable

EPOCH = datetime(1970, 1, 1)
TS = re.compile(r"\d{1,11}(?:\.\d{1,9})?")
EMAIL = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")


def is_message(value: Any) -> bool:
    """Whether it is a message: an object with Slack's timestamp."""
    return isinstance(value, dict) and isinstance(value.get("ts"), str) and bool(TS.fullmatch(value["ts"]))


def instant(ts: str) -> datetime:
    """Return the time a Slack timestamp names, UTC, to the microsecond; floats would lose it."""
    seconds, _, fraction = ts.partition(".")
    return EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction.ljust(6, "0")[:6]))


def thread_ts(message: Mapping[str, Any]) -> str:
    """Return the timestamp of the root of a message's thread; its own where it is no reply."""
    root = message.get("thread_ts")
    return root if isinstance(root, str) and TS.fullmatch(root) else str(message["ts"])


def edited_ts(message: Mapping[str, Any]) -> str | None:
    """Return Slack's timestamp of the last edit, where there was one."""
    edited = message.get("edited")
    ts = edited.get("ts") if isinstance(edited, Mapping) else None
    return ts if isinstance(ts, str) and TS.fullmatch(ts) else None


def message_row(message: Mapping[str, Any], team: str, channel: str) -> dict[str, Any]:
    """Return the row of a message."""
    edited = edited_ts(message)
    return {
        "team_id": team,
        "channel_id": channel,
        "ts": message["ts"],
        "thread_ts": thread_ts(message),
        "user_id": _text(message.get("user")) or _text(message.get("bot_id")),
        "subtype": _text(message.get("subtype")),
        "text": _text(message.get("text")),
        "payload": storable(dict(message)),
        "edited_at": instant(edited) if edited else None,
        "row_hash": message_hash(message),
    }


def message_hash(message: Mapping[str, Any]) -> str:
    """Return the hash of what a person wrote: a reaction, a reply or a new profile picture leaves it alone."""
    written = [
        message.get("subtype"),
        message.get("text"),
        _each(message.get("blocks"), without=("block_id",)),
        _each(message.get("attachments"), only=("pretext", "title", "text", "fallback", "fields")),
        _each(message.get("files") or [message.get("file")], only=("name", "title", "preview", "plain_text")),
        edited_ts(message),
    ]
    return digest(json.dumps(written, sort_keys=True))


def channel_row(channel: Mapping[str, Any], team: str, is_private: bool, store_emails: bool) -> dict[str, Any]:
    """Return the row of a channel."""
    kept = dict(channel) if store_emails else without_emails(channel)
    name = _text(kept.get("name"))
    return {
        "team_id": team,
        "id": channel["id"],
        "name": name,
        "is_private": is_private,
        "payload": storable(kept),
        "row_hash": digest(json.dumps([name, kept], sort_keys=True)),
    }


def user_row(user: Mapping[str, Any], team: str, store_emails: bool) -> dict[str, Any]:
    """Return the row of a user."""
    kept = dict(user) if store_emails else without_emails(user)
    profile = kept.get("profile")
    shown = _text(profile.get("display_name")) if isinstance(profile, Mapping) else None
    name = shown or _text(kept.get("real_name")) or _text(kept.get("name"))
    return {
        "team_id": team,
        "id": user["id"],
        "name": name,
        "is_team": is_team(user, team),
        "payload": storable(kept),
        "row_hash": digest(json.dumps([name, kept], sort_keys=True)),
    }


def is_team(user: Mapping[str, Any], team: str) -> bool | None:
    """Whether a user is one of ours: a guest or stranger is not, who runs the workspace is, of others nobody knows."""
    home = _text(user.get("team_id"))
    is_foreign = home is not None and team.startswith("T") and home.startswith("T") and home != team
    if is_foreign or _flagged(user, "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot"):
        return False
    return True if _flagged(user, "is_admin", "is_owner", "is_primary_owner") else None


def without_emails(value: Any) -> Any:
    """Return the value without e-mail addresses, wherever they stand."""
    if isinstance(value, Mapping):
        return {key: without_emails(inner) for key, inner in value.items() if key != "email"}
    if isinstance(value, list):
        return [without_emails(inner) for inner in value]
    return EMAIL.sub("", value) if isinstance(value, str) and "@" in value else value


def _flagged(user: Mapping[str, Any], *flags: str) -> bool:
    return any(user.get(flag) is True for flag in flags)


def _text(value: Any) -> str | None:
    return clean(value) if isinstance(value, str) and value else None


def _each(value: Any, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The objects of a list, cut to some of their fields."""
    objects = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return [{k: v for k, v in one.items() if (k in only if only else k not in without)} for one in objects]
