"""Finds telephone numbers: by a country's plan, by a shape nothing else has, or by the words before them.

phonenumbers' own matcher takes milliseconds a text; here it judges only what a pattern has picked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedback.text.scripts import ENDS, SPACED

CANDIDATE = re.compile(
    rf"(?<!{SPACED}|[.,/@#$€£¥%+-])(?<!\d:)(?:\+[ ]?|00[ .-]?)?\(?"
    r"\d(?:[ .\-/()]{0,4}\d){5,16}"
    rf"(?:[ ]?(?:x|ext\.?)[ ]?\d{{1,6}})?{ENDS}(?![%€$£])"
)
NEVER = re.compile(
    r"(?:19|20)\d{2}([-./])\d{1,2}\1\d{1,2}(?!\d).*"  # dates, with a time behind them
    r"|\d{1,2}([-./])\d{1,2}\2(?:19|20)\d{2}(?!\d).*"
    r"|(?:0|[1-9]\d*)\.\d+"  # decimals, Slack's timestamps
    r"|(?:19|20)\d{2} ?[-/] ?(?:19|20)\d{2}"  # years
)
UNLIKELY = re.compile(
    r"[1-9]\d{0,2}(?:\.\d{3})+"  # amounts
    r"|(?:0|[1-9]\d*)(?:\.\d+)+"  # IP addresses, versions
)
AMOUNT_OR_MOBILE = re.compile(r"[1-9]\d{0,2}(?: ?\d{3})*")
"""How amounts are written, and some countries' mobiles too."""
DISTINCT = re.compile(
    r"(?:(?:\+|00)?1[ .-]?)?\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}"  # (212) 555 0142
    r"|(?:(?:\+|00)?1[.-])?\d{3}([.-])\d{3}\1\d{4}"  # 212-555-0142
    r"|\(0?\d{1,4}\)[ ]?\d{3,4}[ -]\d{3,4}"  # (07) 5331 0577
    r"|0[1-9]([ .-])\d{2}(?:\2\d{2}){3}"  # 06 12 34 56 78
    r"|(?=(?:\D*\d){8})\(?0[1-9]\d{0,3}\)?(?: - |[ /-])\d{2,8}(?:[ -]\d{2,6}){0,3}"  # 0171 2345678, 03/123 45 67
)
EXTENSION = re.compile(r"[ ]?(?:x|ext\.?)[ ]?\d{1,6}$")
ANNOUNCED = re.compile(
    r"(?:\b(?:phone|tel|telephone|mobiles?|cell|fax|desk|call|ring|(?:text|reach) (?:me|us|him|her|them)|sms|whatsapp"
    r"|dial|fon|telefon\w*|handy\w*|mobil\w*|anruf\w*|ruf\w*|erreich\w*|t[ée]l[ée]phone|portable|appele\w*|m[óo]vil"
    r"|tel[ée]fono|ll[aá]m\w*|telefone|celular|cellulare|chiam\w*|telefoon\w*|bel|zadzwo\w*|kom[óo]rk\w*|cep|hubungi"
    r"|телефон\w*|позвон\w*)\b"
    r"|电话|電話|手机|手機|携帯|전화|연락처|هاتف|جوال|फोन|मोबाइल)[^\d\n]{0,16}$",
    re.IGNORECASE,
)
NAMED_OTHERWISE = re.compile(
    r"(?:\b(?:order|ticket|invoice|case|issue|ref|reference|id|build|version|serial|tracking|bestell\w*|rechnung\w*"
    r"|commande|pedido|ordine|receipt|transaction|code|error|imei|isbn)\b[^\d\n]{0,12}|#\s?)$",
    re.IGNORECASE,
)
LABELLED = re.compile(r"[ ]?\(?(?:office|fax|mobile|cell|home|desk|mobil|privat)\b", re.IGNORECASE)
FEWEST, FEWEST_ANNOUNCED, MOST = 7, 6, 15


def phones(text: str, region: str | None) -> Iterator[tuple[int, int, str]]:
    """Yield where a number starts and ends, and its digits alone.

    :param region: two-letter country whose national numbers count; international numbers always do.
    """
    for match in CANDIDATE.finditer(text):
        number = EXTENSION.sub("", match.group())
        digits = re.sub(r"\D", "", number)
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 10]
        if len(digits) <= MOST and _is_phone(number, digits, before, after, region):
            yield *match.span(), digits


def _is_phone(number: str, digits: str, before: str, after: str, region: str | None) -> bool:
    international = re.sub(r"^00", "+", number)
    if international.startswith("+") and _fits_plan(international, None):
        return True
    named, announced = NAMED_OTHERWISE.search(before), ANNOUNCED.search(before)
    if NEVER.fullmatch(number) or (named and (announced is None or announced.start() < named.start())):
        return False
    if len(digits) < FEWEST:
        return announced is not None and number != digits and len(digits) >= FEWEST_ANNOUNCED
    if announced or LABELLED.match(after) or DISTINCT.fullmatch(number):
        return True
    return region is not None and not UNLIKELY.fullmatch(number) and _fits_plan(number, region)


def _fits_plan(number: str, region: str | None) -> bool:
    """Whether the country has such a number; what could be an amount as well must be a mobile's."""
    import phonenumbers
    from phonenumbers import PhoneNumberType

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_valid_number(parsed):
        return False
    mobile = phonenumbers.number_type(parsed) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return mobile or not AMOUNT_OR_MOBILE.fullmatch(number)
