"""Killed between two pages or at any commit, the next run makes up for it: no gap, no row twice."""

import subprocess
import sys
from pathlib import Path

from feedback.warehouse.duckdb import DuckDBWarehouse
from tests.plugins.feedback.sources.slack_house import House

ROOT = Path(__file__).resolve().parents[5]
POINTS = ["page:4", "page:11", "within:2", "after:2", "after:3"]


def live(world):
    """Two days of a channel: the second brings, rewords and takes back."""
    general = world.channel("general")
    roots = [world.say(general, f"root {number}") for number in range(20)]
    replies = [world.say(general, "a reply", to=root) for root in roots[:8] for _ in range(2)]
    yield
    for root in roots[4:12]:
        world.say(general, "more", to=root)
    for number in (0, 5, 9):
        world.edit(general, replies[number], "reworded")
        world.delete(general, replies[number + 1])
    for root in roots[12:15]:
        world.delete(general, root)
    world.delete(general, roots[2])
    for number in range(10):
        world.say(general, f"new {number}")
    yield


def test_killed_anywhere_the_next_run_makes_up_for_it(house, slack, warehouse):
    slack.limited = False
    days = live(slack.world)
    next(days)
    house.read()
    slack.world.clock.pass_(days=1)
    next(days)

    done = subprocess.run(
        [
            *(sys.executable, Path(__file__).with_name("reader.py"), slack.base_url),
            *(slack.world.clock.now().isoformat(), warehouse.path, *POINTS),
        ],
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr
    outcomes = dict(line.split() for line in done.stdout.splitlines() if line.endswith(("killed", "ended")))
    assert outcomes == dict.fromkeys(POINTS, "killed")
    for point in POINTS:
        file = warehouse.path.with_name(f"{point.replace(':', '-')}.duckdb")
        ended = House(DuckDBWarehouse(file, ROOT / "include/sql/ddl"), slack)
        assert ended.stored() == ended.truth(), point
        assert ended.unequal_threads() == [], point
        assert ended.warehouse.rows("select count(*) as n from staging.gone") == [{"n": 0}]
