"""At most one digest per team and day: what is planned stands in ops.posts, what it says in a file.

The file comes first and the row after it: a crash between the two writes the same file again. What goes to a channel
of Slack says it in its row too, for whoever sends it may be on another machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from feedback.digest.clock import local_day
from feedback.digest.compose import compose
from feedback.digest.select import ACTIVE_FOR, Selection, Window, select
from feedback.digest.team import Team
from feedback.model import Run, digest, utc_now
from feedback.warehouse.base import Warehouse

# A quiet day is no digest: what comes later that day, or what it found too little, is still to be told.
EXISTING = "select post_key from ops.posts where kind = 'digest' and status <> 'quiet' and post_key like ?"
WARNED = """
    select subject, rule from ops.validations
    where severity = 'warning' and outcome = 'fail' and checked_at > ?
    group by subject, rule
    order by subject, rule
"""
LAST = """
    select window_to, updated_at from ops.posts
    where kind = 'digest' and status <> 'quiet' and post_key like ? and post_key <> ? and window_to <= ?
    order by window_to desc limit 1
"""
# A post that may stand in a channel stays there: whoever sends it looks for it, and changes it. Where there is nothing
# to say any more it is left as it is.
CHANGE = """
    update ops.posts set
        status = case when status in ('posting', 'ambiguous') then status else ? end,
        channel = case when ts is not null or status in ('posting', 'ambiguous') then channel else ? end,
        body = case
            when ts is not null or status in ('posting', 'ambiguous') or ? is not null then parse_json(?)
        end,
        body_sha = ?, window_from = ?, window_to = ?, run_id = ?, updated_at = ?
    where post_key = ? and (status = 'quiet' or ? = 'planned')
"""
ADD = """
    insert into ops.posts
        (post_key, kind, status, channel, body, body_sha, window_from, window_to, run_id, updated_at)
    select ?, 'digest', ?, ?, case when ? is not null then parse_json(?) end, ?, ?, ?, ?, ?
    where not exists (select 1 from ops.posts where post_key = ?)
"""


@dataclass(frozen=True)
class Written:
    """What was done for the teams of one day."""

    paths: tuple[Path, ...]
    quiet: tuple[str, ...]
    kept: tuple[str, ...]
    lines: int


def write_digests(
    warehouse: Warehouse,
    teams: Sequence[Team],
    folder: Path,
    *,
    as_of: datetime,
    timezone: str,
    run: Run,
    force: bool = False,
    hosts: Collection[str] = (),
    channels: Mapping[str, str] | None = None,
) -> Written:
    """Write what each team should read on the day of ``as_of``; a team that has today's digest keeps it.

    A team without anything to read gets none. What the gate warns of is read all the same: by the team that takes
    the rest, in a digest of nothing else if need be.

    :param force: write it again, in place of today's; one that is in Slack already is changed there.
    :param hosts: where links may lead beside Slack and the stores.
    :param channels: by team, of Slack: where a new digest goes; without one it stays a file.
    """
    day = local_day(as_of, timezone)
    kept = set() if force else {team.name for team in teams if _exists(warehouse, team, day)}
    windows = {team.name: window(warehouse, team, day, as_of) for team in teams if team.name not in kept}
    paths, quiet, lines = [], [], 0
    for selection in select(warehouse, teams, windows):
        team = selection.team
        warnings = _warnings(warehouse, selection.window)
        if not selection.picks and not (warnings and team == _reader_of_warnings(teams)):
            quiet.append(team.name)
            _record(warehouse, selection, day, run)
            continue
        body = compose(selection, day, hosts, warnings)
        paths.append(_write(folder / f"{day}-{team.name}.json", body))
        lines += len(body["lines"])
        _record(warehouse, selection, day, run, body, (channels or {}).get(team.name))
    return Written(tuple(paths), tuple(quiet), tuple(sorted(kept)), lines)


def window(warehouse: Warehouse, team: Team, day: date, as_of: datetime) -> Window:
    """Return what is active since the team's last digest, at most seven days."""
    longest = as_of - ACTIVE_FOR
    last = warehouse.rows(LAST, (f"digest:{team.name}:%", post_key(team.name, day), as_of))
    if not last:
        return Window(longest, as_of)
    return Window(max(longest, last[0]["window_to"]), as_of, heard_since=last[0]["updated_at"])


def post_key(team: str, day: date) -> str:
    """Return the key of a team's digest of a day."""
    return f"digest:{team}:{day.isoformat()}"


def write_atomically(path: Path, text: str) -> Path:
    """Write the file so that a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    return fresh.replace(path)


def _warnings(warehouse: Warehouse, window: Window) -> list[str]:
    """Return what the gate published with a warning since the last digest, by the clock, as gates judge."""
    since = window.heard_since or utc_now() - timedelta(days=1)
    return [f"{row['subject']} {row['rule']}" for row in warehouse.rows(WARNED, (since,))]


def _reader_of_warnings(teams: Sequence[Team]) -> Team:
    return next((team for team in teams if team.takes_rest), teams[0])


def _exists(warehouse: Warehouse, team: Team, day: date) -> bool:
    return bool(warehouse.rows(EXISTING, (post_key(team.name, day),)))


def _write(path: Path, body: dict[str, Any]) -> Path:
    return write_atomically(path, json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def _record(
    warehouse: Warehouse,
    selection: Selection,
    day: date,
    run: Run,
    body: dict[str, Any] | None = None,
    channel: str | None = None,
) -> None:
    """Plan the digest, or note that there is none; what may be in Slack stays known to be."""
    key, window = post_key(selection.team.name, day), selection.window
    status = "planned" if body else "quiet"
    said = json.dumps(body, ensure_ascii=False)
    about = (channel, channel, said, digest(said), window.start, window.end, run.run_id, utc_now(), key)
    warehouse.transact([(CHANGE, (status, *about, status)), (ADD, (key, status, *about))])
