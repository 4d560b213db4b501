"""A day of Slack by API after thirty days of history: 200 channels, 20,000 messages, against a loopback stand-in.

Goals: 2,600 calls for every message and reply, 4,200 with the once-a-day reading of two days' threads for edits
of replies, 600 and no changed row for the same day again; nothing missed. Beside them the two ways connectors
usually read: the threads of new messages only, and every thread of thirty days. The stand-in keeps Slack's
limits on a clock of its own, so the minutes are those a real workspace would take.

The words and times are invented from a seed: 10,000 roots and 10,000 replies a day, 1,200 new threads, 27 % of
the replies later than a day after their root.

It takes seven minutes.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from measure import parser, table  # noqa: E402
from pytest_httpserver import HTTPServer  # noqa: E402
from slack_sdk import WebClient  # noqa: E402

from feedback.sources.slack_api import outgoing, stretch  # noqa: E402
from feedback.warehouse.duckdb import DuckDBWarehouse  # noqa: E402
from tests.plugins.feedback.sources.slack_stand_in import TOKEN, SlackStandIn  # noqa: E402
from tests.plugins.feedback.sources.slack_world import EPOCH, MICRO, Said, World  # noqa: E402

if TYPE_CHECKING:
    from tests.plugins.feedback.sources.slack_house import House

CHANNELS, DAYS, ROOTS, THREADS = 200, 31, 10_000, 1_200
START = datetime(2026, 10, 1)
DAY = timedelta(days=1) // MICRO
HOUR = DAY // 24
FIRST_REPLIES, REVIVALS, REVIVED_BY = 5.85, 0.42, 4.8
"""Replies of a thread's first hours; how many threads come to life again later, and with how many replies."""


def talk(chance: random.Random) -> Iterator[tuple[int, int, int]]:
    """Yield each message of all days: when, its root's when, its channel."""
    begin = (START - EPOCH) // MICRO
    weights = [1 / (5 + number) for number in range(CHANNELS)]
    for day in range(DAYS):
        for number in range(ROOTS):
            root = begin + day * DAY + chance.randrange(DAY)
            [channel] = chance.choices(range(CHANNELS), weights)
            yield root, root, channel
            if number < THREADS:
                yield from ((at, root, channel) for at in replies(chance, root))


def replies(chance: random.Random, root: int) -> Iterator[int]:
    """Yield when a thread is answered: within hours, and maybe again within weeks."""
    for _ in range(max(1, round(chance.expovariate(1 / FIRST_REPLIES)))):
        yield root + 1 + int(chance.expovariate(1 / (4 * HOUR)))
    if chance.random() < REVIVALS:
        again = root + DAY + int(chance.expovariate(1 / (5 * DAY)))
        for _ in range(max(1, round(chance.expovariate(1 / REVIVED_BY)))):
            yield again + int(chance.expovariate(1 / (2 * HOUR)))


def world(chance: random.Random) -> World:
    """Return a workspace in which all of it is said in its time."""
    made = World(START)
    channels = [made.channel(f"channel-{number}") for number in range(CHANNELS)]
    end = (START - EPOCH) // MICRO + DAYS * DAY
    for at, root, channel in sorted(talk(chance)):
        if at <= end and at not in channels[channel].said:
            channels[channel].add(Said(at, root, f"U{at % 400}", False, [(at, f"words {at % 97} of a message")]))
    for number in range(400):
        made.user(f"U{number}")
    return made


class Naive:
    """What connectors usually do; each message it meets is kept as its channel and ts."""

    def __init__(self, stand_in: SlackStandIn):
        self.client = WebClient(TOKEN, base_url=stand_in.base_url, retry_handlers=[])
        self.channels = list(stand_in.world.channels)

    def read(self, oldest: int) -> set[tuple[str, str]]:
        """Read the roots since an instant, and every one of their threads whole."""
        met: set[tuple[str, str]] = set()
        for channel in self.channels:
            for root in self.pages("conversations.history", channel=channel, oldest=str(oldest / 1_000_000)):
                met.add((channel, root["ts"]))
                if root.get("reply_count"):
                    thread = self.pages("conversations.replies", channel=channel, ts=root["ts"])
                    met |= {(channel, reply["ts"]) for reply in thread}
        return met

    def beside(self, known: Keys, oldest: int) -> tuple[Keys, object]:
        """Read since an instant what is not known yet; nothing counts what that changes."""
        return known | self.read(oldest), "–"

    def pages(self, method: str, **params: Any) -> Iterator[dict[str, Any]]:
        for page in self.client.api_call(method, params=params | {"limit": 999}):
            yield from page["messages"]


Keys = set[tuple[str, str]]


class Bench:
    """A stand-in, warehouses that are fed from it, and a table of what that takes."""

    def __init__(self, folder: Path, stand_in: SlackStandIn, end: int):
        self.folder, self.stand_in, self.end = folder, stand_in, end
        self.rows: list[tuple[object, ...]] = []

    def house(self, name: str, like: str | None = None) -> House:
        """Return a warehouse, a copy of another one if it is named."""
        from tests.plugins.feedback.sources.slack_house import House  # it imports Airflow

        file = self.folder / f"{name}.duckdb"
        if like:
            shutil.copy(self.folder / f"{like}.duckdb", file)
        warehouse = DuckDBWarehouse(file, ROOT / "include/sql/ddl")
        warehouse.migrate()
        return House(warehouse, self.stand_in)

    def measure(self, what: str, goal: object, read: Callable[[], tuple[Keys, object]], truth: Keys, at: int) -> None:
        """Read at an instant, and keep a row: calls, minutes by Slack's clock, seconds by ours."""
        clock = self.stand_in.world.clock
        clock.micros = at
        self.stand_in.forget()
        began = time.monotonic()
        met, changed = read()
        calls, minutes = Counter(self.stand_in.calls), (clock.micros - at) / 60_000_000
        of_threads = calls["conversations.replies"]
        row = (what, calls.total(), goal, of_threads, len(truth - met), changed, round(minutes))
        self.rows.append((*row, round(time.monotonic() - began)))
        print(*row, file=sys.stderr)


def ours(house: House) -> Callable[[], tuple[Keys, object]]:
    """Return how we read."""

    def read() -> tuple[Keys, object]:
        counts = house.read(minutes=10**6, start=START.date())
        return set(house.stored()), counts["changed"]

    return read


def main() -> None:
    parser(__doc__).parse_args()
    made = world(random.Random(20261121))
    end = (START - EPOCH) // MICRO + DAYS * DAY
    with tempfile.TemporaryDirectory() as folder, HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        bench = Bench(Path(folder), SlackStandIn(server, made), end)
        made.clock.micros = end - DAY
        before = set(made.truth())
        made.clock.micros = end
        truth = set(made.truth())
        first = bench.house("first")
        # A real first load has hours for its calls, and commits each minute what it has read.
        most, outgoing.MOST_ROWS, outgoing.MOST_SECONDS = outgoing.MOST_ROWS, 50_000, 1e9
        bench.measure("first load, 30 days", "–", ours(first), before, end - DAY)
        outgoing.MOST_ROWS = most
        hot_days, stretch.HOT_DAYS = stretch.HOT_DAYS, -1
        bench.measure("a day", 2_600, ours(bench.house("plain", like="first")), truth, end)
        stretch.HOT_DAYS = hot_days
        whole = bench.house("whole", like="first")
        bench.measure("a day, with edits of replies", 4_200, ours(whole), truth, end)
        bench.measure("the same day again", 600, ours(whole), truth, end + 2 * HOUR)
        bench.stand_in.limited = False
        naive = Naive(bench.stand_in)
        for what, days in (("threads of new roots only", 1), ("every thread of 30 days", 30)):
            bench.measure(f"naive: {what}", "–", partial(naive.beside, before, end - days * DAY), truth, end)
    header = ("run", "calls", "goal", "of them replies", "missed", "rows changed", "minutes at Slack's limits", "s")
    table(f"Slack by API: {CHANNELS} channels, {len(truth) - len(before):,} messages in a day", header, bench.rows)


if __name__ == "__main__":
    main()
