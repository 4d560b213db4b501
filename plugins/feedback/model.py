"""The words every module shares: plain values, no behaviour beyond their own consistency."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import Any


def utc_now() -> datetime:
    """Return the time in UTC without zone, as every ``_at`` column holds it."""
    return datetime.now(UTC).replace(tzinfo=None)


def digest(*parts: object) -> str:
    """Return the sha256 of the parts, hex; parts cannot run into each other."""
    # As json.dumps writes a list, in a fraction of its time: this runs several times for each answer.
    text = ", ".join([encode_basestring(part if isinstance(part, str) else repr(part)) for part in parts])
    return hashlib.sha256(f"[{text}]".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Run:
    """Which task of which Dag run is at work; the identity that every row it writes carries."""

    run_id: str
    dag_id: str
    task_id: str


@dataclass(frozen=True)
class Batch:
    """Rows on their way into one raw table, loaded together or not at all, and once.

    :param load_id: hash of source, part and content; the same content is loaded once.
    :param is_live: read from the source itself a moment ago: at equal versions it counts more than what is
        stored, and what was taken for deleted lives again.
    """

    source: str
    part: str
    target: str
    rows: list[dict[str, Any]]
    load_id: str
    is_live: bool = False


@dataclass(frozen=True)
class Walked:
    """A stretch of a source that was read to its clean end: what is stored of it and was not met is gone there.

    :param where: SQL condition over the raw table, with its ``params``: the rows that the walk had to meet.
    :param met: keys of the rows it met, in the order of the table's key; or a query that finds them as ``row_key``,
        their parts joined by ``|``, where they are in the warehouse already.
    """

    source: str
    target: str
    where: str
    params: tuple[Any, ...]
    met: frozenset[tuple[str, ...]] | str


@dataclass(frozen=True)
class Memory:
    """What a source has to know the next time; written only when all it handed over before is committed.

    :param table: ``ops.source_state`` (rows of ``source``, ``part`` and ``state``) or ``ops.slack_threads``.
    """

    table: str
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Renamed:
    """A Slack workspace is stored under another id than its own: an export did not know it. Its rows move.

    :param old: the ``team_id`` that they carry.
    """

    source: str
    old: str
    new: str


@dataclass(frozen=True)
class Gap:
    """Something a source did not load, and why: a row of ``ops.coverage``.

    :param status: ``skipped`` on purpose, ``refused`` as bad input, ``failed`` where a later run may succeed.
    :param detail: one line that names the file or channel and what to do.
    :param fingerprint: hash of a refused file, so that the same content is not tried again.
    """

    source: str
    part: str
    status: str
    reason: str
    detail: str
    row_count: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Item:
    """One thing a customer said, as ``feedback.items`` publishes it. ``text`` is plain, complete and masked."""

    item_id: str
    source: str
    source_key: str
    permalink: str | None
    author_hash: str | None
    channel_or_app: str
    text: str
    rating: int | None
    language: str | None
    territory: str | None
    app_version: str | None
    visibility: str
    posted_at: datetime
    last_activity_at: datetime
    message_count: int
    author_count: int
    has_reply_by_team: bool
    is_unanswered: bool | None
    content_hash: str
    is_askable: bool
    unasked_reason: str | None
    updated_at: datetime
    has_personal_data: bool = False


def content_hash(text: str, rating: int | None) -> str:
    """Return the hash of exactly what is sent to a model about an item."""
    return digest(text, rating)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one rule on one slice of one batch, as ``ops.validations`` keeps it.

    :param outcome: ``pass``, ``fail``, ``error`` or ``not_enough_history``.
    """

    rule: str
    severity: str
    outcome: str
    failed: int
    total: int
    slice: str = "all"
    measured: float | None = None
    bound: float | None = None


@dataclass(frozen=True)
class Counts:
    """What a task counted: the only thing that goes to XCom, beside at most twenty lines of ``notes``."""

    numbers: Mapping[str, int | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, notes cut to twenty."""
        return {**self.numbers, **({"notes": list(self.notes[:20])} if self.notes else {})}
