"""A Slack workspace by its Web API: every message and reply of the channels named, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from feedback.model import Batch, Gap, Memory, Renamed, Walked
from feedback.sources.base import Expected, Finding, Past, Source
from feedback.sources.slack_api.calls import ATTEMPTS, SEEN_ATTEMPTS, Calls
from feedback.sources.slack_api.channels import Channels
from feedback.sources.slack_api.directory import Directory
from feedback.sources.slack_api.doctor import examine
from feedback.sources.slack_api.outgoing import MESSAGES, Outgoing
from feedback.sources.slack_api.pace import Clock, OutOfMinutes, Pace
from feedback.sources.slack_api.plan import expected
from feedback.sources.slack_api.reading import Reading
from feedback.sources.slack_api.state import covered, day, part_of, stamp

if TYPE_CHECKING:
    from slack_sdk import WebClient

FIRST_DAYS = 90
DOUBTED = "select row_key from staging.gone where target = ?"


@dataclass(frozen=True)
class SlackApi(Source):
    """The channels that are named, or all public ones the app is in; private ones only by name.

    Each run reads the roots of thirty days and the replies of the threads that have moved; older roots are
    audited once in thirty days. What a run has no minutes for is in ``ops.coverage`` and done by the next.

    :param client: returns the client, made without retry handlers; None where channels are named for an export
        and no connection is set.
    :param channels: ids or names; ``*`` for all public ones the app is in.
    :param start: the first day that is read; ninety days ago if None.
    :param minutes: most of them that a run spends.
    """

    client: Callable[[], WebClient | None]
    channels: Sequence[str]
    start: date | None = None
    minutes: float = 20
    store_emails: bool = False
    clock: Clock = field(default_factory=Clock)
    conn_id: str = "slack_api_default"
    name: str = "slack_api"
    kind = "slack"
    pool = "feedback_slack"

    def extract(self, past: Past) -> Iterator[Batch | Gap | Walked | Memory | Renamed]:
        if (calls := self.calls()) is None:
            return
        pin = stamp(self.clock.now())
        directory = Directory(self.name, calls, past, self.store_emails)
        yield directory.memory()
        channels = Channels(calls, self.channels)
        yield from channels.gaps(self.name)
        yield from directory.renamed(channels.chosen)
        yield from directory.of_channels(channels.chosen)
        doubted = frozenset(tuple(row["row_key"].split("|")[1:]) for row in past.rows(DOUBTED, (MESSAGES,)))
        outgoing = Outgoing(self.name, directory.team, self.clock, doubted)
        yield from Reading(self.name, calls, past, outgoing, self.back_to, pin).everything(channels.chosen)
        with suppress(OutOfMinutes):
            yield from directory.of_users(str(day(pin)))

    def expected(self, past: Past) -> Expected:
        if (calls := self.calls(SEEN_ATTEMPTS)) is None:
            return Expected()
        team = Directory(self.name, calls, past, self.store_emails).team
        states = [covered(past, part_of(team, channel.id)) for channel in Channels(calls, self.channels).chosen]
        return expected(past, team, states, self.back_to, stamp(self.clock.now()), self.minutes)

    def examine(self, past: Past) -> Iterator[Finding]:
        return examine(self)

    def calls(self, attempts: int = ATTEMPTS) -> Calls | None:
        """Return a way to call Slack for the minutes of one run; None where no connection is set."""
        if (client := self.client()) is None:
            return None
        return Calls(client, Pace(self.clock, self.clock.seconds() + 60 * self.minutes), self.conn_id, attempts)

    @property
    def back_to(self) -> str:
        """Where the first load of a channel, which goes backwards, ends."""
        if self.start:
            return stamp(datetime.combine(self.start, datetime.min.time()))
        return stamp(self.clock.now() - timedelta(days=FIRST_DAYS))
