"""Who wrote something, without saying who: a keyed hash."""

from __future__ import annotations

import hmac


def author_hash(salt: bytes, scope: str, author: str | None) -> str | None:
    """Return the hash of an author inside a workspace or store, which nobody without the salt can make."""
    if not author:
        return None
    return hmac.digest(salt, f"{scope}\n{author}".encode("utf-8", "replace"), "sha256").hex()


def salt_mark(salt: bytes) -> str:
    """Return what tells one salt from another, and not what it is."""
    return hmac.digest(salt, b"which salt", "sha256").hex()


def tombstone_hash(salt: bytes, source: str, author: str | None) -> str | None:
    """Return the hash under which an erased author is remembered: the same in every workspace and every export.

    Slack gives no user id twice, and an export may not know its workspace.

    :param source: ``slack``, a store, or the name of a source of your own.
    """
    return author_hash(salt, source, author and author.partition("|")[0] if source == "slack" else author)
