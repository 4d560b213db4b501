"""Reads stretches of channels: every root in them, the threads that have moved, and what is stored and is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator

from feedback.model import Batch, Gap, Memory, Walked
from feedback.sources.base import Past
from feedback.sources.slack_api.calls import Calls, Refused
from feedback.sources.slack_api.channels import REMEDIES
from feedback.sources.slack_api.outgoing import Outgoing
from feedback.sources.slack_api.seen import Read, Seen, seen
from feedback.sources.slack_api.state import days_before
from feedback.sources.slack_api.threads import Need, counted, need, talk
from feedback.sources.slack_api.walk import history, messages
from feedback.sources.slack_channels import Channel
from feedback.sources.slack_rows import instant, thread_ts

HOT_DAYS = 2
"""How long after its last reply a thread is still read whole once a day: edits of replies move no counter."""
HIDDEN_AFTER_DAYS = 89
"""A workspace on the free plan hides what is older than ninety days: there absence says nothing."""

Step = Generator[Batch | Walked | Memory, None, None]


class Stretches:
    """Reads stretches up to the pin of a run. What is gone is told only where a walk has ended cleanly."""

    def __init__(self, calls: Calls, past: Past, outgoing: Outgoing, pin: str):
        self.calls, self.past, self.outgoing, self.pin = calls, past, outgoing, pin
        self._hidden_before = ""
        self._hot: dict[str, list[str]] = {}
        self._refused: Counter[tuple[str, str]] = Counter()

    def read(self, channel: Channel, oldest: str, latest: str) -> Generator[Batch | Walked | Memory, None, int]:
        """Read every root from ``oldest`` to ``latest``, both included, and its thread where needed.

        :return: how many roots there are.
        """
        stored = seen(self.past, self.outgoing.team, channel.id, oldest, latest)
        roots: dict[str, Read] = {}
        broadcasts: dict[str, str] = {}
        for page in history(self.calls, channel.id, oldest, latest):
            if page.get("is_limited"):
                self._hidden_before = days_before(self.pin, HIDDEN_AFTER_DAYS)
            for message in messages(page):
                self.outgoing.met(channel.id, message, stored.hashes)
                if (root := thread_ts(message)) == message["ts"]:
                    roots[root] = counted(message)
                else:
                    broadcasts[message["ts"]] = root
            yield from self.outgoing.due()
        self._miss(channel, stored.roots - roots.keys())
        for ts in sorted(_strays(stored, roots, broadcasts, oldest, latest)):
            of_thread = stored if oldest <= ts <= latest else seen(self.past, self.outgoing.team, channel.id, ts, ts)
            yield from self._thread(channel, of_thread, ts, Need.ALL)
        yield from self._threads(channel, stored, roots)
        return len(roots)

    def hot_threads(self, channel: Channel) -> Step:
        """Read whole the threads with a reply in the last two days that have not moved since they were read."""
        if not (roots := self._hot.get(channel.id)):
            return
        stored = seen(self.past, self.outgoing.team, channel.id, min(roots), max(roots))
        while roots:
            yield from self._thread(channel, stored, roots[-1], Need.ALL)
            roots.pop()

    def left(self, source: str) -> Iterator[Gap]:
        """What there was no time for, and what Slack refused."""
        if waiting := sum(len(roots) for roots in self._hot.values()):
            detail = f"{waiting} threads were not looked through for edits today: raise FEEDBACK_SLACK_MINUTES"
            yield Gap(source, "edits of replies", "failed", "out_of_minutes", detail, waiting)
        for (name, code), times in self._refused.items():
            detail = f"#{name}: {times} threads were refused ({code}); each run tries them again"
            yield Gap(source, name, "failed", code, detail, times)

    def _threads(self, channel: Channel, stored: Seen, roots: dict[str, Read]) -> Step:
        """Read the threads that have moved, and put off the others of the last two days."""
        hot_since, today = days_before(self.pin, HOT_DAYS), instant(self.pin).date()
        for ts, now in roots.items():
            read = stored.threads.get(ts, Read())
            is_read_today = read.whole_at is not None and read.whole_at.date() == today
            is_hot = (now.latest or "") > hot_since and not is_read_today
            needed = need(now, read)
            if needed is not Need.NOTHING:
                yield from self._thread(channel, stored, ts, Need.ALL if is_hot else needed)
            elif is_hot:
                self._hot.setdefault(channel.id, []).append(ts)

    def _thread(self, channel: Channel, stored: Seen, ts: str, needed: Need) -> Step:
        """Read a thread, from its end where that is enough, and note what is read of it."""
        read = stored.threads.get(ts, Read())
        after = read.latest if needed is Need.NEW else None
        try:
            found = talk(self.calls, channel.id, ts, after)
            if after and not found.is_continued(read):
                after, found = None, talk(self.calls, channel.id, ts)
        except Refused as refused:
            if refused.code in REMEDIES or refused.code == "channel_not_found":
                raise
            self._refused[channel.name, refused.code] += 1
            return
        for message in (*filter(None, [found.root]), *found.replies.values()):
            if message["ts"] <= self.pin:
                self.outgoing.met(channel.id, message, stored.hashes)
        if after is None:
            self._miss(channel, stored.replies.get(ts, set()) - found.replies.keys())
        now = found.read_up_to(self.pin)
        self.outgoing.thread(channel.id, ts, now, instant(self.pin) if after is None else read.whole_at)
        yield from self.outgoing.due()

    def _miss(self, channel: Channel, timestamps: set[str]) -> None:
        """What should have been met; replies that came with an export after the pin should not."""
        self.outgoing.missed(channel.id, {ts for ts in timestamps if self._hidden_before <= ts <= self.pin})


def _strays(stored: Seen, roots: dict[str, Read], broadcasts: dict[str, str], oldest: str, latest: str) -> set[str]:
    """Return the threads of which a walk tells nothing by their root.

    Of a root that is gone the replies may live on; a reply may have come without its root; and a broadcast that
    comes or goes tells of a root that lies before the stretch.
    """
    rootless = {ts for ts in stored.replies if oldest <= ts <= latest} - roots.keys()
    come = {root for root in broadcasts.values() if root not in stored.threads}
    gone = {root for ts, root in stored.broadcasts.items() if ts not in broadcasts}
    return (rootless | stored.orphans | come | gone) - roots.keys()
