"""Any table or view of the warehouse as a source: support tickets, call transcripts, answers to a survey.

The table is compared with ``raw.texts`` inside the warehouse, so a row that came late, or was changed without
a word about when, is found like any other. Where a column says when a row was changed, most runs compare the
last days only, and one a day compares everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from feedback.errors import SettingError
from feedback.model import Batch, Gap, Memory, Walked, digest, utc_now
from feedback.sources.base import Expected, Finding, Past, Source
from feedback.sources.table_columns import Wanted, found
from feedback.sources.table_sql import SAID, TIMES, TableSql
from feedback.sources.texts import text_row

TARGET = "raw.texts"
OVERLAP = timedelta(days=2)
COMPARED_EVERY = timedelta(hours=20)
"""Less than a day, so that of daily runs each compares everything."""
PURPOSES = {
    "key": ("id", "any"),
    "text": ("body", "text"),
    "title": ("title", "text"),
    "author": ("author", "any"),
    "posted_at": ("created_at", "time"),
    "updated_at": ("updated_at", "time"),
    "channel": ("channel", "any"),
    "url": ("url", "any"),
    "rating": ("rating", "number"),
    "language": ("language", "any"),
    "territory": ("territory", "any"),
    "app_version": ("app_version", "any"),
}
"""What a column may be named for: the column of raw.texts that it fills, and what its type must be."""


@dataclass(frozen=True, kw_only=True)
class TableSource(Source):
    """The rows of a table or view, each an item. Its columns are named as in SQL, and only those are read.

    :param name: the ``source`` of its items and part of their ids, so it stays once rows are loaded.
    :param table: ``schema.table``, or ``database.schema.table``.
    :param key: tells its rows apart for good; a number or a string.
    :param text: what was said.
    :param title: stands before the text.
    :param author: who said it; published only as a keyed hash.
    :param posted_at: when it was said; else it was when it was changed, or first seen.
    :param updated_at: when the row was last changed; without it every run compares every row.
    :param channel: the part of the source that readers know it by: a queue, a product.
    :param url: where it can be read; published only where it leads to one of ``hosts``.
    :param rating: one to five stars.
    :param language: BCP 47. :param territory: its country, whose telephone numbers are masked.
    :param is_complete: the table holds all there is: what vanishes from it was deleted.
    :param is_private: its words stay out of digests.
    """

    name: str
    table: str
    key: str
    text: str
    title: str | None = None
    author: str | None = None
    posted_at: str | None = None
    updated_at: str | None = None
    channel: str | None = None
    url: str | None = None
    rating: str | None = None
    language: str | None = None
    territory: str | None = None
    app_version: str | None = None
    hosts: tuple[str, ...] = ()
    is_complete: bool = False
    is_private: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([A-Za-z_][\w$]*\.)?[^.]+\.[^.]+", self.table):
            raise SettingError(f"source {self.name}: {self.table!r} is no schema.table and no database.schema.table")

    def extract(self, past: Past) -> Iterator[Batch | Gap | Walked | Memory]:
        look = _Look(self, past)
        yield from look.gaps()
        yield from look.batches()
        if self.is_complete:
            yield Walked(self.name, TARGET, "source = ?", (self.name,), look.sql.met(self.name))
        yield Memory("ops.source_state", [{"source": self.name, "part": self.table, "state": look.memory}])

    def expected(self, past: Past) -> Expected:
        look = _Look(self, past)
        return Expected(rows=sum(rows for _, rows in look.shards), note=f"of {look.state['n']:,} in {self.table}")

    def examine(self, past: Past) -> Iterator[Finding]:
        look = _Look(self, past)
        yield Finding(self.name, True, f"{self.table} can be read, {look.state['n']:,} rows")
        yield from (Finding(self.name, None, gap.detail) for gap in look.gaps())


class _Look:
    """One look at a table.

    :raises InputRefused: the table or a column is not there, or of another type.
    """

    def __init__(self, source: TableSource, past: Past):
        self.source, self.past, self.now = source, past, utc_now()
        named = {purpose: column for purpose in PURPOSES if (column := getattr(source, purpose))}
        table, columns = found(past.rows, source.table, [Wanted(one, named[one], PURPOSES[one][1]) for one in named])
        filled = {PURPOSES[purpose][0]: f"{SAID}.{column}" for purpose, column in columns.items()}
        meaning = "private" if source.is_private else "public"
        self.meaning = digest(table, *filled.items(), meaning)
        plain = TableSql(table, filled, meaning)
        self.state = past.rows(plain.state, (self.now,))[0]
        repeats = self.state["ids"] < self.state["keys"]
        self.sql = replace(plain, is_windowed=self.since is not None, has_repeats=repeats)

    @cached_property
    def known(self) -> Mapping[str, Any]:
        """What the last look remembered, where it looked in the same way."""
        state = self.past.state.get(self.source.table, {})
        return state if state.get("meaning") == self.meaning else {}

    @cached_property
    def since(self) -> datetime | None:
        """The moment from which on rows are compared; without one they all are."""
        upto = self.known.get("upto")
        if not upto or self.now - datetime.fromisoformat(self.known["compared_at"]) >= COMPARED_EVERY:
            return None
        return datetime.fromisoformat(upto) - OVERLAP

    @cached_property
    def shards(self) -> list[tuple[str, int]]:
        """The last id of each shard of what is new or changed, and its rows."""
        return [(row["upto"], row["n"]) for row in self.past.rows(self.sql.shards, (*self._moment, self.source.name))]

    @property
    def memory(self) -> dict[str, Any]:
        """What the next look has to know."""
        upto = instant(self.state["upto"])
        compared_at = self.known["compared_at"] if self.since else self.now.isoformat()
        return {"meaning": self.meaning, "compared_at": compared_at, "upto": upto.isoformat() if upto else None}

    def batches(self) -> Iterator[Batch]:
        """Yield what is new or changed, a shard at a time."""
        name, last = self.source.name, ""
        for upto, _ in self.shards:
            owed = self.past.rows(self.sql.shard, (*self._moment, last, upto, name))
            if owed:
                identity = digest(name, *((row["id"], row["row_hash"], row["known_at"]) for row in owed))
                yield Batch(name, self.source.table, TARGET, [self._row(row) for row in owed], identity, is_live=True)
            last = upto

    def gaps(self) -> Iterator[Gap]:
        """Yield what cannot be read, a line for each kind."""
        key, rating, state = self.source.key, self.source.rating, self.state
        for reason, count, what, way_out in (
            ("no_key", state["n"] - state["keys"], f"without a {key}", "name a key= that is never NULL"),
            ("repeated_key", state["keys"] - state["ids"], f"with a {key} that a newer one has", "name a unique key="),
            ("no_rating", state["unrated"], f"with a {rating} that is no star from 1 to 5", "read without it"),
        ):
            if count:
                line = f"{self.source.table}: {count:,} × a row {what}: {way_out}"
                yield Gap(self.source.name, self.source.table, "refused", reason, line, count)

    @property
    def _moment(self) -> tuple[datetime, ...]:
        return (self.since,) if self.since else ()

    def _row(self, owed: Mapping[str, Any]) -> dict[str, Any]:
        """A row of raw.texts. The table is the truth: what it says now is never older than what is stored."""
        values = {name: owed[name] for name in self.sql.columns}
        values |= {name: instant(values[name]) for name in TIMES if name in values}
        versions = [one for one in (values.get("updated_at"), owed["known_version"]) if one]
        values["updated_at"] = max(versions, default=None)
        identity, body = values.pop("id"), values.pop("body")
        return text_row(
            self.source.name, identity, body, row_hash=owed["row_hash"], is_private=self.source.is_private, **values
        )


def instant(value: Any) -> datetime | None:
    """Return a time of a warehouse in UTC without zone; None where Python's calendar ends before it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return datetime.combine(value, datetime.min.time()) if isinstance(value, date) else None
