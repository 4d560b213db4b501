"""Which channels are read: those that are named, or all public ones the app is in; and what of them cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from feedback.model import Gap
from feedback.sources.slack_api.calls import Calls, Refused
from feedback.sources.slack_api.walk import entries
from feedback.sources.slack_channels import Channel, composed

EVERY = "*"
REMEDIES = {
    "not_in_channel": ("failed", "the app is not in it: type /invite @<app> there"),
    "is_archived": ("skipped", "it is archived; what was read before is kept"),
    "missing_scope": ("failed", "it is private: give the app the scopes groups:read and groups:history"),
}


class Channels:
    """The channels of a workspace, as the app sees them.

    :param wanted: ids or names; ``*`` for all public ones the app is in.
    """

    def __init__(self, calls: Calls, wanted: Collection[str]):
        self.calls = calls
        self.named = [composed(name.lstrip("#")) for name in wanted if name != EVERY]
        self.takes_all = EVERY in wanted
        self.public = self._listed("public_channel")
        self.known = {key: channel for channel in self.public for key in (channel.id, channel.name)}
        if any(name not in self.known for name in self.named):
            self.known |= {key: channel for channel in self._private() for key in (channel.id, channel.name)}

    @property
    def chosen(self) -> list[Channel]:
        """What can be read, each once."""
        wanted = [self.known[name] for name in self.named if name in self.known]
        wanted += self.public if self.takes_all else []
        return list({channel.id: channel for channel in wanted if hindrance(channel) is None}.values())

    def gaps(self, source: str) -> Iterator[Gap]:
        """Yield what was asked for and cannot be read."""
        for name in self.named:
            if name not in self.known:
                detail = f"#{name} is not there, or it is private and the app is not in it: type /invite @<app> there"
                yield Gap(source, name, "failed", "channel_not_found", detail)
            elif code := hindrance(self.known[name]):
                yield gap(source, self.known[name], code)
        others = [one for one in self.public if hindrance(one)] if self.takes_all else []
        if others:
            detail = f"the app is in {len(self.public) - len(others)} of {len(self.public)} public channels: type"
            detail += " /invite @<app> in those that should be read too"
            yield Gap(source, "other channels", "skipped", "not_in_channel", detail, len(others))

    def _private(self) -> list[Channel]:
        try:
            return self._listed("private_channel")
        except Refused:  # for want of a scope that only private channels need
            return []

    def _listed(self, types: str) -> list[Channel]:
        found = entries(self.calls, "conversations.list", "channels", types=types)
        return [_channel(entry) for entry in found]


def hindrance(channel: Channel) -> str | None:
    """Return Slack's word for why a channel cannot be read, as far as its listing tells."""
    if channel.payload.get("is_archived"):
        return "is_archived"
    return None if channel.payload.get("is_member", True) else "not_in_channel"


def gap(source: str, channel: Channel, code: str) -> Gap:
    """Return the gap that a channel leaves; its cursor stays where it was."""
    status, remedy = REMEDIES.get(code, ("failed", "see what Slack says of this word; it is tried again by each run"))
    return Gap(source, channel.name, status, code, f"#{channel.name} cannot be read ({code}): {remedy}")


def _channel(entry: dict[str, Any]) -> Channel:
    name = entry.get("name")
    kept = {key: value for key, value in entry.items() if key != "num_members"}  # a counter is no change
    kind = "private" if entry.get("is_private") else "public"
    return Channel(entry["id"], composed(name) if isinstance(name, str) else entry["id"], kind, kept)
