"""Finds account and card numbers by their checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedback.text.checksums import compact, is_valid
from feedback.text.scripts import ALONE, ENDS

IBAN = re.compile(rf"{ALONE}[A-Za-z]{{2}}\d{{2}}(?:[ -]?[A-Za-z0-9]{{1,4}}){{3,8}}{ENDS}")
IBAN_BEGINS = re.compile(r"\d\d[ -]?[A-Za-z0-9]{4}")
"""In every account number, and found faster."""
CARD = re.compile(rf"{ALONE}(?<![+.])\d(?:(?:[ ]{{1,2}}|[-.])?\d){{12,18}}{ENDS}")
CARD_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
    r"|(?:50|5[6-9]|6\d)\d{14,17}"
)
AMOUNT = re.compile(r"\d{1,3}(?:[ .]\d{3})+")


def ibans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where an account number starts and ends, and the number alone."""
    for match in IBAN.finditer(text) if IBAN_BEGINS.search(text) else ():
        value = match.group()
        # The pattern may have swallowed the words after it: cut back to where the checksum agrees.
        for end in [len(value), *(m.start() for m in reversed(list(re.finditer(r"[ -]", value))))]:
            if is_valid("iban", value[:end], check_country=False):
                yield match.start(), match.start() + end, compact(value[:end])
                break


def cards(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a card number starts and ends, and the number alone."""
    for match in CARD.finditer(text):
        number = compact(match.group())
        if CARD_ISSUER.fullmatch(number) and is_valid("luhn", number) and not AMOUNT.fullmatch(match.group()):
            yield *match.span(), number
