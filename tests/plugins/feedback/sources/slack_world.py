"""An invented Slack workspace that knows its own past and future: what exists at an instant is the truth.

Every change is written down with its instant, so time can be set forwards and backwards, and a whole archive
can be put in at once and seen day by day.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Message = dict[str, Any]
TEAM = "T0STANDIN"
EPOCH = datetime(1970, 1, 1)
MICRO = timedelta(microseconds=1)


class Clock:
    """Time that passes only when somebody waits, in whole microseconds."""

    def __init__(self, now: datetime):
        self.micros = (now - EPOCH) // MICRO

    def now(self) -> datetime:
        return EPOCH + self.micros * MICRO

    def seconds(self) -> float:
        return self.micros / 1_000_000

    def sleep(self, seconds: float) -> None:
        self.micros += max(1, round(seconds * 1_000_000))

    def pass_(self, **time: float) -> None:
        """Let time pass: ``days``, ``hours``, ``seconds``."""
        self.micros += timedelta(**time) // MICRO


def ts_of(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def micros_of(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6] or 0)


@dataclass(slots=True)
class Said:
    """One message through time.

    :param root: of its thread; itself for what is no reply.
    :param versions: instant and content, None once it is deleted; the first is of when it was said.
    """

    micros: int
    root: int
    user: str
    is_broadcast: bool
    versions: list[tuple[int, Message | str | None]]

    @property
    def is_reply(self) -> bool:
        return self.root != self.micros

    def content(self, now: int) -> Message | str | None:
        """What it says at an instant; None where it is not there yet, or no more."""
        found = None
        for at, content in self.versions:
            if at > now:
                break
            found = content
        return found


@dataclass
class Channel:
    """A channel: ``listed`` are the instants of what its history shows, ``threads`` the replies by root."""

    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    is_member: bool = True
    is_shared: bool = False
    said: dict[int, Said] = field(default_factory=dict)
    listed: list[int] = field(default_factory=list)
    threads: dict[int, list[int]] = field(default_factory=dict)

    def add(self, said: Said) -> None:
        self.said[said.micros] = said
        if said.is_reply:
            insort(self.threads.setdefault(said.root, []), said.micros)
        if not said.is_reply or said.is_broadcast:
            insort(self.listed, said.micros)

    def replies(self, root: int, now: int) -> list[int]:
        """The replies that exist at an instant, oldest first."""
        return [reply for reply in self.threads.get(root, ()) if self.said[reply].content(now) is not None]

    def message(self, micros: int, now: int) -> Message | None:
        """A message as Slack shows it at an instant, with its counters; None where it does not exist."""
        said = self.said.get(micros)
        if said is None or micros > now:
            return None
        content = said.content(now)
        message: Message = {"type": "message", "user": said.user, "ts": ts_of(micros), "team": TEAM}
        if said.is_reply:
            if content is None:
                return None
            message |= {"thread_ts": ts_of(said.root)} | ({"subtype": "thread_broadcast"} if said.is_broadcast else {})
            return message | _said(content)
        replies = self.replies(micros, now)
        if content is None:
            if not replies:
                return None
            message |= {"user": "USLACKBOT", "subtype": "tombstone", "text": "This message was deleted."}
        else:
            message |= _said(content)
        if replies:
            message |= {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": ts_of(replies[-1])}
        return message

    def history(self, oldest: int, latest: int, now: int) -> Iterator[Message]:
        """What ``conversations.history`` shows from ``oldest`` to ``latest``, both included, newest first."""
        for place in range(bisect_right(self.listed, latest) - 1, bisect_left(self.listed, oldest) - 1, -1):
            if message := self.message(self.listed[place], now):
                yield message


class World:
    """A workspace. Its verbs are what people do in Slack, each at the clock's now."""

    def __init__(self, now: datetime = datetime(2026, 10, 1, 12)):
        self.clock = Clock(now)
        self.channels: dict[str, Channel] = {}
        self.users: dict[str, Message] = {}

    def channel(self, name: str, **flags: Any) -> Channel:
        """Open a channel."""
        channel = Channel(id=f"C{len(self.channels) + 1:08d}", name=name, **flags)
        self.channels[channel.id] = channel
        return channel

    def user(self, user_id: str, **more: Any) -> None:
        self.users[user_id] = {"id": user_id, "team_id": TEAM, "name": user_id.lower(), **more}

    def say(
        self,
        channel: Channel,
        content: Message | str,
        to: str | None = None,
        user: str = "U1",
        broadcast: bool = False,
        at: int | None = None,
    ) -> str:
        """Say something, ``to`` a root or to all, and return its ts."""
        if at is None:
            self.clock.micros += 1
            at = self.clock.micros
        root = micros_of(to) if to else at
        channel.add(Said(at, root, user, broadcast, [(at, content)]))
        return ts_of(at)

    def edit(self, channel: Channel, ts: str, text: str) -> None:
        """Change what a message says; its author and its counters stay."""
        self.clock.micros += 1
        now = self.clock.micros
        said = channel.said[micros_of(ts)]
        before = said.content(now)
        assert before is not None
        edited = {"edited": {"user": said.user, "ts": ts_of(now)}}
        said.versions.append((now, {**(before if isinstance(before, dict) else {}), "text": text, **edited}))

    def react(self, channel: Channel, ts: str) -> None:
        """Add a thumb, which changes no word."""
        said = channel.said[micros_of(ts)]
        before = said.content(self.clock.micros)
        content = before if isinstance(before, dict) else {"text": before}
        thumb = {"reactions": [{"name": "+1", "count": 1, "users": ["U2"]}]}
        said.versions.append((self.clock.micros, {**content, **thumb}))

    def delete(self, channel: Channel, ts: str) -> None:
        self.clock.micros += 1
        channel.said[micros_of(ts)].versions.append((self.clock.micros, None))

    def restore(self, channel: Channel, ts: str) -> None:
        """Take a deletion back."""
        channel.said[micros_of(ts)].versions.pop()

    def remember(self, channel: Channel, messages: list[Message]) -> None:
        """Put in an archive's messages: each appears when it was said and is reworded when it was edited."""
        for message in messages:
            at = micros_of(message["ts"])
            root = micros_of(message.get("thread_ts") or message["ts"])
            content = {name: value for name, value in message.items() if name not in ("ts", "thread_ts", *COUNTERS)}
            versions: list[tuple[int, Message | str | None]] = [(at, content)]
            if edited := message.get("edited"):
                before = {name: value for name, value in content.items() if name not in ("edited", "blocks")}
                versions = [(at, before | {"text": f"first: {message['text']}"}), (micros_of(edited["ts"]), content)]
            is_broadcast = message.get("subtype") == "thread_broadcast"
            channel.add(Said(at, root, str(message.get("user", "")), is_broadcast, versions))

    def truth(self) -> dict[tuple[str, str], Message]:
        """Every message of every channel that exists now, by channel and ts."""
        now = self.clock.micros
        return {
            (channel.id, ts_of(micros)): message
            for channel in self.channels.values()
            for micros in channel.said
            if (message := channel.message(micros, now))
        }


COUNTERS = ("replies", "reply_count", "reply_users", "reply_users_count", "latest_reply", "last_read", "subscribed")


def _said(content: Message | str) -> Message:
    return {"text": content} if isinstance(content, str) else content
