"""Finds personal data in a text: e-mail addresses, accounts, cards, national ids, telephone numbers.

A number counts only where its checksum, its country's plan or the words before it say so: order numbers,
versions, prices, dates and Slack's timestamps stay readable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from feedback.text.phones import phones
from feedback.text.scripts import SPACED, UNSPACED


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
    def end(self) -> int:
        return self.start + len(self.value)

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two passages the same value."""
        return self.kind, self.normal


EMAIL = re.compile(
    rf"(?:{SPACED}|[.+%'-]){{1,64}}[@＠](?!\dx\.)(?:(?:{SPACED}|-){{1,63}}\.)+[^\W\d_{UNSPACED}]{{2,24}}"
    rf"(?!{SPACED}|[@＠])"
)
IBAN = re.compile(rf"(?<!{SPACED})[A-Za-z]{{2}}\d{{2}}(?:[ -]?[A-Za-z0-9]{{1,4}}){{3,8}}(?!{SPACED})")
CARD = re.compile(rf"(?<!{SPACED}|[+.])\d(?:[ -]?\d){{11,18}}(?!{SPACED})")
CARD_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|(?:6011|65\d\d|64[4-9]\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}"
    r"|(?:50|5[6-9]|6\d)\d{10,17}"
)
ENOUGH_DIGITS = re.compile(r"\d(?:[\s().\-/\u2010-\u2013\uff0d]*\d){6}")
ID_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("us.ssn", re.compile(r"(?<![\w-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])")),
    ("de.idnr", re.compile(r"(?<![\w.,+-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\w-])")),
    ("es.dni", re.compile(r"(?<![\w-])\d{8}[ -]?[A-Za-z](?![\w-])")),
    ("es.nie", re.compile(r"(?<![\w-])[XYZxyz][ -]?\d{7}[ -]?[A-Za-z](?![\w-])")),
    ("fr.nir", re.compile(r"(?<![\w-])[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-])")),
    ("it.codicefiscale", re.compile(r"(?<![\w-])[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z](?![\w-])")),
    ("pl.pesel", re.compile(r"(?<![\w.,+-])\d{11}(?![\w-])")),
    ("br.cpf", re.compile(r"(?<![\w-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])")),
    ("ca.sin", re.compile(r"(?<![\w-])\d{3}([- ])\d{3}\1\d{3}(?![\w-])")),
    ("se.personnummer", re.compile(r"(?<![\w-])\d{6}(?:\d{2})?[-+]\d{4}(?![\w-])")),
    ("in_.aadhaar", re.compile(r"(?<![\w-])\d{4}([- ])\d{4}\1\d{4}(?![\w-])")),
    ("cn.ric", re.compile(r"(?<![\w-])\d{17}[\dXx](?![\w-])")),
)
"""Modules of python-stdnum with a checksum, or at least a plan, and how people write these ids."""


def find(text: str, region: str | None) -> list[Finding]:
    """Return what is personal data, without overlaps; where two overlap the surer kind is kept."""
    found: list[Finding] = []
    for finding in _candidates(text, region):
        if all(finding.end <= other.start or other.end <= finding.start for other in found):
            found.append(finding)
    return found


def _candidates(text: str, region: str | None) -> Iterator[Finding]:
    """The surest kind first."""
    if "@" in text or "＠" in text:
        yield from (Finding("EMAIL", m.start(), m.group(), m.group().lower()) for m in EMAIL.finditer(text))
    if not ENOUGH_DIGITS.search(text) and not _might_be_lettered(text):
        return
    yield from _ibans(text)
    yield from _cards(text)
    yield from _national_ids(text)
    yield from (Finding("PHONE", start, value, normal) for start, value, normal in phones(text, region))


def _might_be_lettered(text: str) -> bool:
    """Italian ids and some IBANs mix letters in, so that fewer digits stand in a row."""
    return bool(re.search(r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}|\b[A-Za-z]{2}\d{2}[ -]?[A-Za-z]{4}", text))


def _ibans(text: str) -> Iterator[Finding]:
    for match in IBAN.finditer(text):
        value = match.group()
        # The pattern may have swallowed the words after it: cut back to where the checksum agrees.
        for end in [len(value), *(m.start() for m in reversed(list(re.finditer(r"[ -]", value))))]:
            if _is_valid("iban", value[:end]):
                yield Finding("IBAN", match.start(), value[:end], _compact(value[:end]))
                break


def _cards(text: str) -> Iterator[Finding]:
    for match in CARD.finditer(text):
        number = _compact(match.group())
        if CARD_ISSUER.fullmatch(number) and _is_valid("luhn", number):
            yield Finding("CARD", match.start(), match.group(), number)


def _national_ids(text: str) -> Iterator[Finding]:
    for name, shape in ID_SHAPES:
        for match in shape.finditer(text):
            if _is_valid(name, match.group()):
                yield Finding("NATIONAL_ID", match.start(), match.group(), _compact(match.group()))


def _is_valid(name: str, value: str) -> bool:
    try:
        return _validator(name)(_ascii_digits(value))
    except (LookupError, ValueError):
        # stdnum.cn.ric stumbles over places that it does not know.
        return False


@cache
def _validator(name: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return is_valid


def _compact(value: str) -> str:
    return re.sub(r"\W", "", _ascii_digits(value)).upper()


def _ascii_digits(value: str) -> str:
    return "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in value)
