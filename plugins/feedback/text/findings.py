"""Finds personal data in a text: e-mail addresses, accounts, cards, national ids, telephone numbers.

A number counts only where its checksum, its country's plan or the words before it say so: order numbers,
versions, prices, dates and Slack's timestamps stay readable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feedback.text.accounts import cards, ibans
from feedback.text.national_ids import national_ids
from feedback.text.phones import phones
from feedback.text.scripts import SPACED, UNSPACED, in_one_form


@dataclass(frozen=True)
class Finding:
    """A passage that is personal data.

    :param value: the passage as it stands.
    :param normal: the same for every way of writing the value.
    """

    kind: str
    start: int
    value: str
    normal: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two passages the same value."""
        return self.kind, self.normal


EMAIL = re.compile(
    rf"(?:{SPACED}|[.+%'-]){{1,64}}(?:@| ?[(\[]at[)\]] ?)(?!\dx\.)"
    rf"(?:[\w-]{{1,63}}\.)+[^\W\d_{UNSPACED}]{{2,24}}(?!{SPACED}|@)"
)
ENOUGH_DIGITS = re.compile(r"\d(?:\D*\d){5}")
"""No card, id or telephone number has fewer than six digits."""


def find(text: str, region: str | None) -> list[Finding]:
    """Return what is personal data, without overlaps; where two overlap the surer kind is kept."""
    plain, places = in_one_form(text)
    found, taken = [], bytearray(len(plain))
    for kind, start, end, normal in _candidates(plain, region):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Finding(kind, places[start], text[places[start] : places[end - 1] + 1], normal))
    return found


def _candidates(text: str, region: str | None) -> Iterator[tuple[str, int, int, str]]:
    """The surest kind first."""
    if "@" in text or "at)" in text or "at]" in text:
        yield from (("EMAIL", *m.span(), m.group().lower()) for m in EMAIL.finditer(text))
    yield from (("IBAN", *found) for found in ibans(text))
    if not ENOUGH_DIGITS.search(text):
        return
    yield from (("CARD", *found) for found in cards(text))
    yield from (("NATIONAL_ID", *found) for found in national_ids(text))
    yield from (("PHONE", *found) for found in phones(text, region))
