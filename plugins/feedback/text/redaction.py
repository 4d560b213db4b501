"""Masks personal data in a text: the same value becomes the same numbered placeholder, ``[EMAIL_1]``.

Which passages are personal data is decided in ``findings``; this module only replaces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from feedback.text.findings import Finding, find

PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN|NATIONAL_ID)_(\d{1,6})\]")


def mask(text: str, region: str | None = None) -> str:
    """Return the text with every finding replaced. Masking a masked text changes nothing.

    :param region: two-letter country whose way of writing telephone numbers counts, beside the international one.
    """
    numbers: dict[tuple[str, str], int] = {}
    last = _highest(text)
    while found := find(text, region):
        for finding in sorted(found, key=lambda one: one.start):
            if finding.identity not in numbers:
                last[finding.kind] = last.get(finding.kind, 0) + 1
                numbers[finding.identity] = last[finding.kind]
        text = _replaced(text, found, numbers)
    return text


def has_personal_data(text: str) -> bool:
    """Whether an e-mail address, phone, card or account number or national id stands in the text."""
    return bool(find(text, None))


def _highest(text: str) -> dict[str, int]:
    """The numbers that placeholders in the text have already, so that no two values share one."""
    last: dict[str, int] = {}
    for kind, number in PLACEHOLDER.findall(text):
        last[kind] = max(last.get(kind, 0), int(number))
    return last


def _replaced(text: str, found: Iterable[Finding], numbers: dict[tuple[str, str], int]) -> str:
    """Replace the values wherever they stand, also inside a longer word where alone they would not be found."""
    values = {finding.value: finding for finding in found}
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    pattern = re.compile("|".join(re.escape(value) for value in longest_first))

    def placeholder(match: re.Match[str]) -> str:
        finding = values[match.group()]
        return f"[{finding.kind}_{numbers[finding.identity]}]"

    return pattern.sub(placeholder, text)
