"""Who wrote something, without saying who: a keyed hash."""

from __future__ import annotations

import hmac


def author_hash(salt: bytes, scope: str, author: str | None) -> str | None:
    """Return the hash of an author inside a workspace or store, which nobody without the salt can make."""
    if not author:
        return None
    return hmac.digest(salt, f"{scope}\n{author}".encode("utf-8", "replace"), "sha256").hex()
