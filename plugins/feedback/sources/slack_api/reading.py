"""One reading of the channels: news first, then edits of replies, the audit, and the first load, as time allows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from feedback.errors import FeedbackError
from feedback.model import Batch, Gap, Memory, Walked
from feedback.sources.base import Past
from feedback.sources.slack_api.calls import Calls, Refused
from feedback.sources.slack_api.channels import gap
from feedback.sources.slack_api.outgoing import Outgoing
from feedback.sources.slack_api.pace import OutOfMinutes
from feedback.sources.slack_api.state import RESCAN_DAYS, Covered, audit_of, covered, day, days_before, part_of
from feedback.sources.slack_api.stretch import Stretches
from feedback.sources.slack_api.walk import messages
from feedback.sources.slack_channels import Channel

SLICE_DAYS = 7

Found = Iterator[Batch | Walked | Memory | Gap]
Step = Generator[Batch | Walked | Memory, None, None]


class Reading:
    """What one run reads of the channels it may read, up to its pin; what is said meanwhile is for the next.

    A channel that turns out to be unreadable costs only itself, and its state stays as it was.

    :param start: back to where a channel is loaded.
    """

    def __init__(self, source: str, calls: Calls, past: Past, outgoing: Outgoing, start: str, pin: str):
        self.source, self.calls, self.past, self.outgoing = source, calls, past, outgoing
        self.start, self.pin = start, pin
        self.stretches = Stretches(calls, past, outgoing, pin)
        self._lost: dict[str, Gap] = {}
        self._states: dict[str, Covered] = {}

    def everything(self, channels: list[Channel]) -> Found:
        """Read the channels as far as time allows, and name what is left."""
        self._states = {one.id: covered(self.past, self._part(one)) for one in channels}
        loaded = [one for one in channels if self._states[one.id].newest]
        loaded.sort(key=lambda one: self._states[one.id].newest)  # who had to wait is first
        try:
            for step in (self._news, self.stretches.hot_threads, self._audit):
                for channel in loaded:
                    yield from self._guarded(channel, step)
            yield from self._first_load(channels)
            for channel in channels:
                yield from self._guarded(channel, self.stretches.hot_threads)
        except OutOfMinutes:
            pass
        except FeedbackError:
            yield from self.outgoing.all()
            raise
        yield from self.outgoing.all()
        yield from self._left(channels)

    def _guarded(self, channel: Channel, step: Callable[[Channel], Step]) -> Step:
        """Do a step, unless the channel cannot be read."""
        if channel.id in self._lost:
            return
        try:
            yield from step(channel)
        except Refused as refused:
            self._lost[channel.id] = gap(self.source, channel, refused.code)

    def _news(self, channel: Channel) -> Step:
        """Every root of thirty days, and the threads of those that have moved."""
        state = self._states[channel.id]
        yield from self.stretches.read(channel, state.rescan_from(), self.pin)
        state.newest = max(state.newest, self.pin)
        self._remember(channel)

    def _audit(self, channel: Channel) -> Step:
        """Once in thirty days everything that is older."""
        state, due = self._states[channel.id], audit_of(channel.id, day(self.pin))
        latest = days_before(self.pin, RESCAN_DAYS)
        if state.audit == due or self._is_unread(channel):
            return
        if state.oldest < latest:
            yield from self.stretches.read(channel, state.oldest, latest)
        state.audit = due
        self._remember(channel)

    def _first_load(self, channels: list[Channel]) -> Step:
        """Week after week back to the start, for all channels together."""
        while unread := [one for one in channels if self._is_unread(one)]:
            for channel in unread:
                yield from self._guarded(channel, self._slice)

    def _slice(self, channel: Channel) -> Step:
        state = self._states[channel.id]
        latest = state.oldest or self.pin
        oldest = max(self.start, days_before(latest, SLICE_DAYS))
        roots = yield from self.stretches.read(channel, oldest, latest)
        state.newest = state.newest or self.pin
        state.oldest = oldest if roots or oldest <= self.start else self._last_word(channel, oldest)
        if state.oldest <= self.start:
            state.audit = audit_of(channel.id, day(self.pin))
        self._remember(channel)
        yield from self.outgoing.due()

    def _last_word(self, channel: Channel, before: str) -> str:
        """Where a channel was last heard of, or its start: months of silence are not read week by week."""
        span = {"oldest": self.start, "latest": before, "inclusive": True}
        page = self.calls("conversations.history", channel=channel.id, limit=1, **span)
        return max((message["ts"] for message in messages(page)), default=self.start)

    def _remember(self, channel: Channel) -> None:
        self.outgoing.state(self._states[channel.id].memory(self.source, self._part(channel)))

    def _part(self, channel: Channel) -> str:
        return part_of(self.outgoing.team, channel.id)

    def _is_unread(self, channel: Channel) -> bool:
        oldest = self._states[channel.id].oldest
        return channel.id not in self._lost and (not oldest or oldest > self.start)

    def _left(self, channels: list[Channel]) -> Iterator[Gap]:
        """What could not be read, and what there was no time for."""
        yield from self._lost.values()
        for channel in channels:
            state = self._states[channel.id]
            if self._is_unread(channel):
                back_to = f"is loaded back to {day(state.oldest)}" if state.oldest else "is not loaded yet"
                detail = f"#{channel.name} {back_to}: the next runs go on, back to {day(self.start)}"
                yield Gap(self.source, channel.name, "failed", "first_load", detail)
            if channel.id not in self._lost and state.newest and state.newest < self.pin:
                detail = f"#{channel.name} was not reached in the minutes of this run: raise FEEDBACK_SLACK_MINUTES"
                yield Gap(self.source, channel.name, "failed", "out_of_minutes", detail)
        yield from self.stretches.left(self.source)
