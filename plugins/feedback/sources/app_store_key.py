"""A team's key of App Store Connect, and the tokens that are made with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from feedback.errors import ConnectionMissing
from feedback.sources.web import SKEW_S

AUDIENCE = "appstoreconnect-v1"
LIFE_S = 15 * 60
"""Apple takes tokens of at most twenty minutes."""


@dataclass
class Key:
    """Makes tokens, each when the last one is near its end.

    :param pem: the private key, as the ``.p8`` file has it.
    :param offset_s: how far Apple's clock is ahead of ours.
    """

    conn_id: str
    key_id: str
    issuer_id: str
    pem: str = field(repr=False)
    clock: Callable[[], float] = time.time
    offset_s: float = 0.0
    _token: str = field(default="", repr=False)
    _ends_at: float = 0.0

    def authorization(self) -> str:
        """Return the header's value, with a new token where the last one is near its end.

        :raises ConnectionMissing: the password is no key that Apple gives out.
        """
        if self.clock() + self.offset_s > self._ends_at - SKEW_S:
            self.renew()
        return f"Bearer {self._token}"

    def renew(self) -> None:
        """Make a new token."""
        import jwt

        begins_at = int(self.clock() + self.offset_s) - SKEW_S
        self._ends_at = begins_at + LIFE_S
        claims = {"iss": self.issuer_id, "iat": begins_at, "exp": begins_at + LIFE_S, "aud": AUDIENCE}
        try:
            self._token = jwt.encode(claims, self.pem, algorithm="ES256", headers={"kid": self.key_id})
        except (jwt.PyJWTError, ValueError, TypeError):
            raise ConnectionMissing(
                f"connection {self.conn_id}: its password is no private key of App Store Connect: paste the .p8 file,"
                r" line breaks as \n"
            ) from None
