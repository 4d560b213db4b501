"""Masks personal data in a text: the same value becomes the same numbered placeholder, ``[EMAIL_1]``.

Which passages are personal data is decided in ``findings``; this module only replaces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from feedback.text.findings import Finding, find

PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN|NATIONAL_ID)_(\d{1,5})\]")


def mask(text: str, region: str | None = None) -> str:
    """Return the text with every finding replaced. Masking a masked text changes nothing.

    :param region: two-letter country whose way of writing telephone numbers counts, beside the international one.
    """
    numbers: dict[tuple[str, str], int] = {}
    known = _highest(text)
    while found := find(text, region):
        for finding in found:
            numbers.setdefault(finding.identity, len(numbers) + 1 + known.get(finding.kind, 0))
        text = _replaced(text, found, numbers)
    return _by_first_occurrence(text, known) if numbers else text


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
    for finding in sorted(found, key=lambda one: (-len(one.value), one.value)):
        text = text.replace(finding.value, f"[{finding.kind}_{numbers[finding.identity]}]")
    return text


def _by_first_occurrence(text: str, known: dict[str, int]) -> str:
    """Renumber the placeholders that are new: which of two values was found first depends on how sure its kind is."""
    order: dict[str, dict[str, int]] = {}

    def renumbered(match: re.Match[str]) -> str:
        kind, number = match.groups()
        if int(number) <= known.get(kind, 0):
            return match.group()
        seen = order.setdefault(kind, {})
        return f"[{kind}_{seen.setdefault(number, known.get(kind, 0) + len(seen) + 1)}]"

    return PLACEHOLDER.sub(renumbered, text)
