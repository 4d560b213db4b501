"""The replies of a thread: whether they have to be read, and what was read of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from feedback.sources.slack_api.calls import Calls, Refused
from feedback.sources.slack_api.seen import Read
from feedback.sources.slack_api.walk import Message, messages, thread


class Need(Enum):
    """How much of a thread has to be read."""

    NOTHING = 0
    NEW = 1
    ALL = 2


def need(now: Read, read: Read) -> Need:
    """Return what has to be read of a thread.

    Only a thread that has grown at its end is read from there; whatever else moved may be a deletion.

    :param now: what Slack counts; ``read``: what is read of it.
    """
    if (now.reply_count, now.latest) == (read.reply_count, read.latest):
        return Need.NOTHING
    if read.latest and now.latest and now.latest > read.latest and now.reply_count > read.reply_count:
        return Need.NEW
    return Need.ALL


def counted(root: Mapping[str, Any]) -> Read:
    """Return what Slack counts of a thread."""
    count, latest = root.get("reply_count"), root.get("latest_reply")
    return Read(count, latest if isinstance(latest, str) else None) if isinstance(count, int) and count else Read()


@dataclass(frozen=True)
class Talk:
    """A thread as it was read.

    :param root: None where there is no such thread any more.
    :param replies: by ts; only those after ``after``, where the thread was read from there.
    """

    root: Message | None
    replies: Mapping[str, Message]
    after: str | None

    def is_continued(self, read: Read) -> bool:
        """Whether it holds exactly what was missing; else something before it has been deleted or was overlooked."""
        return self.root is not None and counted(self.root).reply_count == read.reply_count + len(self.replies)

    def read_up_to(self, pin: str) -> Read:
        """What the ledger keeps: of Slack's count only what was said up to the pin."""
        if self.root is None:
            return Read()
        now, later = counted(self.root), sum(ts > pin for ts in self.replies)
        if not later:
            return now
        return Read(now.reply_count - later, max((ts for ts in self.replies if ts <= pin), default=self.after))


def talk(calls: Calls, channel: str, ts: str, after: str | None = None) -> Talk:
    """Read a thread, or what was said in it after ``after``."""
    root, replies = None, {}
    try:
        for page in thread(calls, channel, ts, after):
            for message in messages(page):
                if message["ts"] == ts:
                    root = message
                else:
                    replies[message["ts"]] = message
    except Refused as refused:
        if refused.code != "thread_not_found":
            raise
        return Talk(None, {}, None)
    return Talk(root, replies, after)
