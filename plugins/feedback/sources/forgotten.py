"""Whose words are never loaded again: the erased authors, recognised by their hashes at the door of ``raw``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from feedback.errors import SettingError
from feedback.model import Batch
from feedback.sources.authors import salt_mark, tombstone_hash
from feedback.warehouse.base import Warehouse

WRITTEN_BY = ("user", "user_id", "author_id", "creator")
WORDS = ("text", "title", "value", "preview", "plain_text", "fallback", "pretext", "blocks")
PAYLOADS_OF_SLACK = ("raw.slack_messages", "raw.slack_channels")
SLACK_ID = re.compile(r'"([UWB][A-Z0-9]{2,})"')

Row = dict[str, Any]
IsTheirs = Callable[[str], bool]


@dataclass(frozen=True)
class Forgotten:
    """The erased authors.

    :param hashes: their rows in ``ops.tombstones``.
    """

    hashes: frozenset[str]
    salt: bytes
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def without_theirs(self, batch: Batch) -> Batch:
        """Return the batch without what they wrote, and without what others' rows repeat of it."""
        if not self.hashes:
            return batch
        kept = [row for row in batch.rows if not self.holds(*_author(batch.target, row))]
        if batch.target in PAYLOADS_OF_SLACK:
            kept = [self._repeating(row) for row in kept]
        return replace(batch, rows=kept)

    def holds(self, source: str, author: str | None) -> bool:
        """Whether an author is erased."""
        if not author:
            return False
        if (source, author) not in self._known:
            self._known[source, author] = tombstone_hash(self.salt, source, author) in self.hashes
        return self._known[source, author]

    def _repeating(self, row: Row) -> Row:
        if not any(self.holds("slack", user) for user in SLACK_ID.findall(row["payload"])):
            return row
        kept = without_theirs(json.loads(row["payload"]), lambda user: self.holds("slack", user))
        return {**row, "payload": json.dumps(kept, ensure_ascii=False)}


def forgotten(warehouse: Warehouse, salt: Callable[[], bytes] | None) -> Forgotten:
    """Return the erased authors that the warehouse remembers.

    :param salt: returns the secret of the author hashes; asked where somebody is remembered.
    :raises SettingError: somebody is, and without the secret, or with another one, nobody can be recognised.
    """
    rows = warehouse.rows("select subject, row_key from ops.tombstones where subject in ('author', 'salt')")
    hashes = frozenset(row["row_key"] for row in rows if row["subject"] == "author")
    if not hashes:
        return Forgotten(hashes, b"")
    if salt is None:
        raise SettingError("authors were erased, and without a salt this task cannot keep them out: pass it salt=")
    secret = salt()
    if {row["row_key"] for row in rows if row["subject"] == "salt"} - {salt_mark(secret)}:
        raise SettingError(
            "authors were erased under another salt and would be loaded again: put back $FEEDBACK_HOME/hash_salt or"
            " FEEDBACK_HASH_SALT as it was (docs/privacy.md)"
        )
    return Forgotten(hashes, secret)


def _author(target: str, row: Row) -> tuple[str, str | None]:
    if target in ("raw.app_reviews", "raw.texts"):
        return row["store" if target == "raw.app_reviews" else "source"], row.get("author")
    return "slack", row.get("id" if target == "raw.slack_users" else "user_id")


def without_theirs(value: Any, is_theirs: IsTheirs) -> Any:
    """Return a JSON value without the objects inside it that hold words of certain users; mentions of them stay."""
    if isinstance(value, Mapping):
        return {key: without_theirs(one, is_theirs) for key, one in value.items() if not _holds(one, is_theirs)}
    if isinstance(value, list):
        return [without_theirs(one, is_theirs) for one in value if not _holds(one, is_theirs)]
    return value


def _holds(value: Any, is_theirs: IsTheirs) -> bool:
    if not isinstance(value, Mapping) or not any(value.get(name) for name in WORDS):
        return False
    return any(isinstance(value.get(name), str) and is_theirs(value[name]) for name in WRITTEN_BY)
