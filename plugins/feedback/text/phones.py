"""Finds telephone numbers: by a country's plan, by a shape nothing else has, or by the words before them.

phonenumbers' own matcher takes milliseconds a text; here it judges only what a pattern has picked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedback.text.scripts import SPACED

CANDIDATE = re.compile(
    rf"(?<!{SPACED}|[.,/@#$€£¥%+-])(?<!\d:)(?:\+[ ]?|00[ .-]?)?\(?"
    r"\d(?:[ .\-/()\u00a0\u2010-\u2013\uff0d]{0,3}\d){6,16}"
    rf"(?:[ ]?(?:x|ext\.?)[ ]?\d{{1,6}})?(?!{SPACED}|[%€$£])"
)
NOT_A_PHONE = re.compile(
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}.*|\d{1,2}[-./]\d{1,2}[-./]\d{4}.*"  # dates, with a time behind them
    r"|\d+[.,]\d+"  # decimals, Slack's timestamps
    r"|\d{1,3}(?:[. ]\d{3})+(?:[.,]\d{1,2})?"  # amounts
    r"|\d+(?:\.\d{1,3}){3}|\d{1,2}(?:\.\d+){2,}"  # IP addresses, versions
    r"|(?:19|20)\d{2} ?[-–/] ?(?:19|20)\d{2}"  # years
)
DISTINCT = re.compile(
    r"(?:(?:\+|00)?1[ .-]?)?\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}"  # (212) 555 0142
    r"|(?:(?:\+|00)?1[.-])?\d{3}([.-])\d{3}\1\d{4}"  # 212-555-0142
    r"|\(0?\d{1,4}\)[ ]?\d{3,4}[ -]\d{3,4}"  # (07) 5331 0577
)
EXTENSION = re.compile(r"[ ]?(?:x|ext\.?)[ ]?\d{1,6}$")
ANNOUNCED = re.compile(
    r"(?:\b(?:phone|telephone|tel|mobile|cell|fax|desk|call|ring|text|sms|reach|whatsapp|dial|telefon|handy|mobil|anruf\w*"
    r"|t[ée]l[ée]phone|appele\w*|m[óo]vil|tel[ée]fono|ll[aá]m\w*|telefone|celular|cellulare|chiam\w*)\b"
    r"|电话|電話|手机|手機|전화)[^\d\n]{0,16}$",
    re.IGNORECASE,
)
NAMED_OTHERWISE = re.compile(
    r"(?:\b(?:order|ticket|invoice|case|issue|ref|reference|id|build|version|serial|tracking|bestell\w*|rechnung\w*"
    r"|commande|pedido|ordine|receipt|transaction|code|error|imei|isbn)\b[^\d\n]{0,12}|#\s?)$",
    re.IGNORECASE,
)
LABELLED = re.compile(r"[ ]?\(?(?:office|fax|mobile|cell|home|desk|mobil|privat)\b", re.IGNORECASE)
FEWEST, MOST = 7, 15


def phones(text: str, region: str | None) -> Iterator[tuple[int, str, str]]:
    """Yield where a number starts, the number as it stands, and its digits alone.

    :param region: two-letter country whose national numbers count; international numbers always do.
    """
    for match in CANDIDATE.finditer(text):
        value = match.group()
        number = EXTENSION.sub("", value)
        digits = re.sub(r"\D", "", number)
        if not FEWEST <= len(digits) <= MOST:
            continue
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 10]
        if _is_phone(number, before, after, region):
            yield match.start(), value, digits


def _is_phone(number: str, before: str, after: str, region: str | None) -> bool:
    international = re.sub(r"^00", "+", number)
    if international.startswith("+") and _fits_plan(international, None):
        return True
    named, announced = NAMED_OTHERWISE.search(before), ANNOUNCED.search(before)
    if named and (announced is None or announced.start() < named.start()):
        return False
    if DISTINCT.fullmatch(number):
        return True
    if NOT_A_PHONE.fullmatch(number):
        return False
    return bool(announced or LABELLED.match(after)) or _fits_plan(number, region)


def _fits_plan(number: str, region: str | None) -> bool:
    """Whether a country has such a number; without a country only international numbers are judged."""
    if region is None and not number.startswith("+"):
        return False
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
