"""Whose words are to go: the raw rows of an author, of one item, or of everything that ended before an instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from feedback.errors import InputRefused
from feedback.sources.authors import author_hash, tombstone_hash
from feedback.warehouse.base import Warehouse
from feedback.warehouse.merge import RAW

MESSAGES, REVIEWS, TEXTS = "raw.slack_messages", "raw.app_reviews", "raw.texts"
SLACK = "slack"
IS_BLANK = "row_hash in ('erased', 'expired')"
"""SQL condition of raw rows whose words are gone already."""

AT_ONCE = 10_000
"""Threads, reviews and texts of one scope by age: the first day of a retention period may reach millions."""
ENDED_THREADS = f"""
    select item_id from (
        select {RAW[MESSAGES].item_id} as item_id, max(ts) as ts, max(edited_at) as edited_at
        from {MESSAGES} where not ({IS_BLANK}) group by {RAW[MESSAGES].item_id}
    ) as threads
    where ts < ? and coalesce(edited_at < ?, true)
    qualify row_number() over (order by item_id) <= ?
"""
ENDED_REVIEWS = f"""
    select {RAW[REVIEWS].item_id} as item_id from {REVIEWS}
    where not ({IS_BLANK}) and coalesce(updated_at, created_at, first_seen_at) < ? and coalesce(replied_at < ?, true)
    qualify row_number() over (order by {RAW[REVIEWS].item_id}) <= ?
"""
ENDED_TEXTS = f"""
    select {RAW[TEXTS].item_id} as item_id from {TEXTS}
    where not ({IS_BLANK}) and coalesce(updated_at, created_at, first_seen_at) < ?
    qualify row_number() over (order by {RAW[TEXTS].item_id}) <= ?
"""
AUTHORS = (
    (SLACK, f"select distinct team_id as scope, user_id as name from {MESSAGES} where user_id is not null"),
    (None, f"select distinct store as scope, author as name from {REVIEWS} where author is not null"),
    (None, f"select distinct source as scope, author as name from {TEXTS} where author is not null"),
)
"""Everybody in raw, in the scope of the hash; a user of Slack is meant in all workspaces."""

Condition = tuple[str, tuple[Any, ...]]
"""A SQL condition over a raw table, with the values of its ``?``."""


@dataclass(frozen=True)
class Author:
    """Somebody who wrote: a user of Slack by id, in every workspace, or a name elsewhere, which several may share.

    :param source: ``slack``, a store, or the name of a source of your own.
    """

    source: str
    name: str

    def tombstone(self, salt: bytes) -> str:
        """Return what ``ops.tombstones`` keeps of the author."""
        return str(tombstone_hash(salt, self.source, self.name))


@dataclass(frozen=True)
class Scope:
    """What is to go.

    :param rows: the raw rows whose own words go, as a condition a table.
    :param reason: as ``ops.tombstones`` names it. What is erased never comes back; what has expired does when
        its author changes it later.
    :param author: what others repeat of an author's words goes too, and nothing more is loaded of the author.
    """

    rows: Mapping[str, Condition]
    reason: Literal["erased", "retention"] = "erased"
    author: Author | None = None


def of_author(author: Author) -> Scope:
    """Return the scope of everything that an author wrote."""
    if author.source == SLACK:
        return Scope({MESSAGES: ("user_id = ?", (author.name,))}, author=author)
    both = (author.source, author.name)
    return Scope(
        {REVIEWS: ("store = ? and author = ?", both), TEXTS: ("source = ? and author = ?", both)}, author=author
    )


def of_item(item_id: str) -> Scope:
    """Return the scope of one item: a review, a text, or a thread with all who spoke in it."""
    return Scope({target: (f"{RAW[target].item_id} = ?", (item_id,)) for target in (MESSAGES, REVIEWS, TEXTS)})


def before(cutoff: datetime) -> Scope:
    """Return the scope of threads, reviews and texts whose last activity was before an instant, UTC.

    Of as many as are erased at once: the next such scope holds the next of them.
    """
    ts = f"{cutoff.replace(tzinfo=UTC).timestamp():.6f}"
    return Scope(
        {
            MESSAGES: (f"{RAW[MESSAGES].item_id} in ({ENDED_THREADS})", (ts, cutoff, AT_ONCE)),
            REVIEWS: (f"{RAW[REVIEWS].item_id} in ({ENDED_REVIEWS})", (cutoff, cutoff, AT_ONCE)),
            TEXTS: (f"{RAW[TEXTS].item_id} in ({ENDED_TEXTS})", (cutoff, AT_ONCE)),
        },
        reason="retention",
    )


def author_of(warehouse: Warehouse, salt: bytes, wanted: str) -> Author:
    """Return the author whose hash stands in ``feedback.items``.

    :raises InputRefused: nothing that is stored has it.
    """
    for source, everybody in AUTHORS:
        for row in warehouse.rows(everybody):
            if author_hash(salt, row["scope"], row["name"]) == wanted:
                return Author(source or row["scope"], row["name"])
    raise InputRefused("nobody in raw has this author hash: copy it from feedback.items.author_hash of this warehouse")
