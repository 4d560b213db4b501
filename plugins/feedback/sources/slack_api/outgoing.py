"""What a reading has found and not handed over yet: rows first, then what they allow to be forgotten or remembered."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from feedback.model import Batch, Memory, Walked
from feedback.sources import slack_rows
from feedback.sources.slack_api.pace import Clock
from feedback.sources.slack_api.seen import Read

MOST_ROWS = 2_000
MOST_SECONDS = 60.0
"""What a reading that is killed has to do again; each hand-over is a few transactions of the warehouse."""
MESSAGES = "raw.slack_messages"

Key = tuple[str, str]


class Outgoing:
    """Collects and hands over in an order that survives being killed anywhere.

    :param doubted: rows that an earlier walk missed and about which nothing is decided yet.
    """

    def __init__(self, source: str, team: str, clock: Clock, doubted: frozenset[Key]):
        self.source, self.team, self.clock, self.doubted = source, team, clock, doubted
        self._clear()

    def _clear(self) -> None:
        self._since = self.clock.seconds()
        self._rows: dict[Key, dict[str, Any]] = {}
        self._missed: set[Key] = set()
        self._met: set[Key] = set()
        self._threads: dict[Key, dict[str, Any]] = {}
        self._states: dict[str, dict[str, Any]] = {}

    def met(self, channel: str, message: Mapping[str, Any], stored: dict[str, str]) -> None:
        """Take a message; it is handed over only if its words are not stored like that.

        :param stored: hashes of the words that are stored and alive, by ts; its own is among them afterwards.
        """
        key = (channel, message["ts"])
        words = slack_rows.message_hash(message)
        if stored.get(message["ts"]) != words:
            self._rows[key] = slack_rows.message_row(message, self.team, channel)
            stored[message["ts"]] = words
        if key in self.doubted:
            self._met.add(key)

    def missed(self, channel: str, timestamps: set[str]) -> None:
        """Take what a walk that has ended should have met."""
        self._missed |= {(channel, ts) for ts in timestamps}

    def thread(self, channel: str, ts: str, read: Read, whole_at: datetime | None) -> None:
        """Take what is read of a thread now, for the ledger."""
        self._threads[channel, ts] = {
            "team_id": self.team,
            "channel_id": channel,
            "thread_ts": ts,
            "reply_count": read.reply_count,
            "latest_reply": read.latest,
            "last_full_read_at": whole_at,
        }

    def state(self, row: dict[str, Any]) -> None:
        """Take what is known of a part of the source."""
        self._states[row["part"]] = row

    def due(self) -> Iterator[Batch | Walked | Memory]:
        """Hand over, if there is much or the last time is long ago."""
        is_much = max(len(self._rows), len(self._threads)) >= MOST_ROWS
        if is_much or self.clock.seconds() - self._since >= MOST_SECONDS:
            yield from self.all()

    def all(self) -> Iterator[Batch | Walked | Memory]:
        """Hand over everything."""
        if self._rows:
            # What was read from Slack a moment ago is an event of its own, whatever it says.
            part = f"{len(self._rows)} messages"
            yield Batch(self.source, part, MESSAGES, list(self._rows.values()), secrets.token_hex(32), is_live=True)
        if self._missed or self._met:
            yield self._walked()
        if self._threads:
            yield Memory("ops.slack_threads", list(self._threads.values()))
        if self._states:
            yield Memory("ops.source_state", list(self._states.values()))
        self._clear()

    def _walked(self) -> Walked:
        """The stored rows that were not met, by name, so that nobody has to look through the others."""
        marks = ", ".join("?" for _ in self._missed) or "''"
        keys = sorted(f"{channel}|{ts}" for channel, ts in self._missed)
        where = f"team_id = ? and channel_id || '|' || ts in ({marks})"
        met = frozenset((self.team, channel, ts) for channel, ts in self._met)
        return Walked(self.source, MESSAGES, where, (self.team, *keys), met)
