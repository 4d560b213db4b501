"""How soon Slack may be called again, and for how long a run may go on."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from feedback.errors import ServiceUnreachable
from feedback.model import utc_now

MINUTE_S = 60.0
PER_MINUTE = {
    "conversations.history": 48,
    "conversations.replies": 48,
    "conversations.list": 18,
    "users.list": 18,
}
"""Slack allows 50 and 20; the rest is for whoever else uses the token."""
OTHERS_PER_MINUTE = 100


class OutOfMinutes(ServiceUnreachable):
    """What a run may spend on Slack is spent; what is left is for the next."""

    def __init__(self) -> None:
        super().__init__("Slack let no more calls through in FEEDBACK_SLACK_MINUTES: run again later, or raise it")


@dataclass(frozen=True)
class Clock:
    """Time as a source sees it; a replay or a test brings its own."""

    now: Callable[[], datetime] = utc_now
    seconds: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Lets calls through so that no minute of any method holds more than Slack allows.

    :param until: the instant on the clock's ``seconds`` after which nothing is called any more.
    """

    def __init__(self, clock: Clock, until: float):
        self.clock, self.until = clock, until
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        self._closed_until: dict[str, float] = {}

    def take(self, method: str) -> None:
        """Wait for a method's turn.

        :raises OutOfMinutes: it would come too late.
        """
        sent = self._sent[method]
        opens = self._closed_until.get(method, 0.0)
        if len(sent) == PER_MINUTE.get(method, OTHERS_PER_MINUTE):
            opens = max(opens, sent.popleft() + MINUTE_S)
        self.sleep(max(0.0, opens - self.clock.seconds()))
        sent.append(self.clock.seconds())

    def close(self, method: str, seconds: float) -> None:
        """Call a method no more for so long, as Slack asks."""
        self._closed_until[method] = self.clock.seconds() + seconds

    def sleep(self, seconds: float) -> None:
        """Wait.

        :raises OutOfMinutes: the run would be over before.
        """
        if self.clock.seconds() + seconds >= self.until:
            raise OutOfMinutes
        if seconds > 0:
            self.clock.sleep(seconds)
