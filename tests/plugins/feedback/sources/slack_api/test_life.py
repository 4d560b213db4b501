"""Whatever people do in a workspace and whatever goes wrong on the way, the warehouse ends with what exists."""

import contextlib
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedback.errors import SourceFailed
from feedback.sources.archive import open_archive
from feedback.sources.json_file import parse
from tests.plugins.feedback.sources.slack_stand_in import (
    dropped,
    fault,
    history,
    later_page,
    page_of_a_proxy,
    refused,
    status,
)
from tests.plugins.feedback.sources.slack_world import Channel, World, micros_of, ts_of

ROOT = Path(__file__).resolve().parents[5]
SAMPLE = ROOT / "include/sample/slack_export"
REAL = ROOT.parent / "shared/data/slack_export/testarchive.zip"
HOT = timedelta(days=0.9)
"""A reply of a thread that has been quiet for longer than two days may be edited without anybody noticing."""


class Life:
    """What people do in a workspace, at random."""

    def __init__(self, world: World, chance: random.Random):
        self.world, self.chance = world, chance
        self.channels = [world.channel("one"), world.channel("two")]

    def day(self) -> None:
        """Some hours of talk."""
        for _ in range(self.chance.randint(3, 12)):
            self.world.clock.pass_(minutes=self.chance.randint(1, 100))
            self.chance.choices(
                (self.ask, self.answer, self.reword, self.take_back, self.like), weights=(4, 8, 3, 4, 1)
            )[0](self.chance.choice(self.channels))

    def ask(self, channel: Channel) -> None:
        self.world.say(channel, self.words(), user=self.user())

    def answer(self, channel: Channel) -> None:
        roots = [ts for ts, message in self.alive(channel) if "root" in message]
        if roots:
            shown = self.chance.random() < 0.15
            self.world.say(channel, self.words(), self.chance.choice(roots), self.user(), broadcast=shown)

    def reword(self, channel: Channel) -> None:
        if where := [ts for ts, message in self.alive(channel) if "root" in message or self.is_hot(channel, ts)]:
            self.world.edit(channel, self.chance.choice(where), self.words())

    def take_back(self, channel: Channel) -> None:
        if where := [ts for ts, _ in self.alive(channel)]:
            self.world.delete(channel, self.chance.choice(where))

    def like(self, channel: Channel) -> None:
        if where := [ts for ts, _ in self.alive(channel)]:
            self.world.react(channel, self.chance.choice(where))

    def alive(self, channel: Channel):
        """What still says something; roots are marked."""
        now = self.world.clock.micros
        for at, said in channel.said.items():
            if said.content(now) is not None:
                yield ts_of(at), {"root": True} if not said.is_reply else {}

    def is_hot(self, channel: Channel, ts: str) -> bool:
        now = self.world.clock.micros
        replies = channel.replies(channel.said[micros_of(ts)].root, now)
        return bool(replies) and now - replies[-1] < HOT.total_seconds() * 1_000_000

    def words(self) -> str:
        return self.chance.choice(
            ("slow", "crash", "日本語", "\u202eרע", "zero\u200bwidth", "🙂")
        ) * self.chance.randint(1, 9)

    def user(self) -> str:
        return f"U{self.chance.randint(1, 5)}"


def trouble(chance: random.Random):
    """One thing that goes wrong."""
    where = chance.choice((history, later_page, lambda *_: True, lambda method, params: "ts" in params))
    answer = chance.choice(
        (
            status(500),
            dropped,
            page_of_a_proxy,
            status(429, Retry_After="31"),
            refused("internal_error"),
            refused("token_revoked"),
        )
    )
    return fault(where, answer, chance.choice((1, 1, 2, 8)))


@pytest.mark.parametrize("seed", range(3))
def test_after_any_days_and_any_faults_the_warehouse_holds_what_exists(house, slack, seed):
    chance = random.Random(seed)
    life = Life(slack.world, chance)
    for _ in range(chance.randint(4, 7)):
        life.day()
        slack.faults = [trouble(chance) for _ in range(chance.choice((0, 0, 1, 2)))]
        with contextlib.suppress(SourceFailed):
            house.read(minutes=chance.choice((0.2, 3, 600)))
        slack.faults = []
        if house.gaps():
            house.read()

    slack.world.clock.pass_(days=1)  # edits of replies are looked for once a day
    house.read()

    assert house.stored() == house.truth()
    assert house.unequal_threads() == []
    assert house.gaps() == {}
    assert house.read()["changed"] == 0


def archive_of(path: Path, only: tuple[str, ...]):
    """The messages of an export by channel, and the days on which something was said or reworded."""
    archive = open_archive(path)
    talk = defaultdict(list)
    for name in archive.names():
        if name.count("/") == 1 and name.endswith(".json") and (not only or name.startswith(only)):
            talk[name.split("/")[0]] += [one for one in parse(archive.read(name), name) if "ts" in one]
    moments = [float(one.get("edited", one)["ts"]) for messages in talk.values() for one in messages]
    return talk, sorted({datetime.fromtimestamp(at, UTC).date() for at in moments})


@pytest.mark.parametrize(
    ("path", "channels"),
    [
        pytest.param(SAMPLE, ("customers-feedback/",), id="a channel of the bundled sample"),
        pytest.param(
            REAL,
            (),
            id="a real archive",
            marks=pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not here"),
        ),
    ],
)
def test_an_archive_read_day_by_day_ends_with_the_same_rows_as_read_once(house, another, path, channels):
    talk, days = archive_of(path, channels)
    for name, messages in talk.items():
        house.world.remember(house.world.channel(name), messages)
    clock, start = house.world.clock, days[0]

    for day in days:
        clock.micros = micros_of(f"{datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + 86_399:.6f}")
        house.read(start=start)
    another.read(start=start)

    said = sum(len(messages) for messages in talk.values())
    assert len(house.stored()) == said
    assert house.stored() == another.stored() == house.truth()
