"""Invented personal data in invented sentences, and numbers that are none: what bench_masking.py judges the mask on.

The values come from the plans themselves (every territory that phonenumbers knows, every country of the IBAN
registry, the card issuers' ranges), in the ways people write them, so that no pattern of ours chose them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

NEUTRAL = (
    "{}",
    "Hi team, {} as discussed. Thanks!",
    "still broken for me ({}) since Tuesday",
    "Danke im Voraus, {}.",
    "c'est {}, merci d'avance",
    "es {}, gracias",
    "お願いします。{}です",
    "the export fails every time, {}\nplease help",
)
"""Sentences without a word for what stands in them."""
ANNOUNCED = (
    "call me on {} tomorrow",
    "my phone number is {}",
    "you can reach me at {}",
    "Sie erreichen mich unter {}",
    "meine Handynummer: {}",
    "mon numéro de téléphone est le {}",
    "mi número de teléfono es {}",
    "il mio numero di telefono è {}",
    "meu celular é {}",
    "WhatsApp {}",
)
SSN_SENTENCES = ("my SSN is {}", "social security number {}", "SSN: {} please update", "Social Security # {}")
NAMES = ("ada", "jane.doe", "j_doe", "o'brien", "info", "jürgen", "x", "first.last+tag", "12345", "MAX.MUSTER", "a-b")
HOSTS = ("example.com", "mail.example.co.uk", "EXAMPLE.ORG", "bücher.example", "sub-domain.example.museum", "例え.jp")
CARDS = (
    ("4", 16),
    ("51", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("3530", 16),
    ("36", 14),
    ("62", 16),
)
HARMLESS = (
    "order {d10}",
    "Order number: {d4}-{d4}-{d4}",
    "ticket #{d8}",
    "build {d8}.{d1}",
    "version {d2}.{d1}.{d4}.{d3}",
    "invoice 2026-{d6}",
    "error 0x{d8}",
    "it costs {d1},{d3},{d3}.00 EUR",
    "{d1} {d3} {d3} downloads",
    "{d3} {d3} users",
    "since 2026-1{z1}-2{z1} 1{z1}:3{z1}:2{z1}",
    "at 2{z1}/1{z1}/2026 1{z1}:3{z1}",
    "between 201{z1} and 202{z1}, 202{z1}-202{z1}",
    "ts 17{d8}.{d6}",
    "epoch 17{d8}{d3}",
    "10.{d2}.{d2}.{d1}:8080",
    "{d2}.{d6}, {d2}.{d6}",
    "{d8}-{d4}-4{d3}-8{d3}-{d8}{d4}",
    "tracking 1Z{d3}AA1{d10}",
    "ISBN 978-3-16-{d6}-0",
    "{d10} steps, {d7} ms, {d12} bytes",
    "the {d13} I typed vanished",
    "row {d7} of {d7}",
    "Samsung SM-G{d3}F, iPhone 1{z1}, Android 1{z1}",
    "C:\\logs\\{d8}_{d6}.txt",
    "https://example.com/o/{d10}?id={d12}",
    "commit {d7}ab{d7}",
    "VAT DE{d9}",
    "user id {d9}",
    "{d4} x {d4} pixels, {d2}-{d2}-{d2}",
    "scored {d2}:{d2}, {d3}/{d3}",
    "PNR {d6}, flight LH{d4}",
)
"""What customers of a software product write with many digits in it and that is nobody's."""


@dataclass(frozen=True)
class Sample:
    """A text with one value in it.

    :param group: how it is written or introduced; one line of the table.
    """

    group: str
    text: str
    value: str
    region: str | None = None


def samples(chance: random.Random) -> Iterator[Sample]:
    """Yield every kind in every way of writing it."""
    yield from _emails(chance)
    yield from _phones(chance)
    yield from _cards(chance)
    yield from _ibans(chance)
    yield from _ssns(chance)


def harmless(chance: random.Random, each: int = 25) -> Iterator[str]:
    """Yield texts in which nothing is personal data."""
    for template in HARMLESS:
        for _ in range(each):
            yield template.format(
                **{f"d{n}": str(chance.randrange(10 ** (n - 1), 10**n)) for n in range(1, 14)},
                z1=str(chance.randint(0, 2)),
            )


def _emails(chance: random.Random) -> Iterator[Sample]:
    for name in NAMES:
        for host in HOSTS:
            yield Sample("EMAIL", chance.choice(NEUTRAL).format(f"{name}@{host}"), f"{name}@{host}")


def _phones(chance: random.Random) -> Iterator[Sample]:
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType

    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            abroad, e164, home = (
                _separated(chance, phonenumbers.format_number(number, shape))
                for shape in (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164, PhoneNumberFormat.NATIONAL)
            )
            yield Sample("PHONE international", chance.choice(NEUTRAL).format(abroad), abroad)
            yield Sample("PHONE E.164", chance.choice(NEUTRAL).format(e164), e164)
            yield Sample("PHONE national, country known", chance.choice(NEUTRAL).format(home), home, region)
            yield Sample("PHONE national, announced", chance.choice(ANNOUNCED).format(home), home)
            yield Sample("PHONE national, nothing says so", chance.choice(NEUTRAL).format(home), home)


def _separated(chance: random.Random, number: str) -> str:
    """The separators people and their keyboards put there."""
    return number.replace(" ", chance.choice((" ", " ", " ", "-", ".", "\u00a0", "\u202f", " - ", "/", "")))


def _cards(chance: random.Random) -> Iterator[Sample]:
    for prefix, length in CARDS * 8:
        digits = prefix + _digits(chance, length - len(prefix) - 1)
        digits += _luhn(digits)
        groups = (4, 6, 5) if length == 15 else (4, 6, 4) if length == 14 else (4, 4, 4, 4)
        value = _grouped(digits, groups, chance.choice(("", " ", "-", "\u00a0", ".", "  ")))
        yield Sample("CARD", chance.choice(NEUTRAL).format(value), value)


def _luhn(digits: str) -> str:
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(number // 10 + number % 10 for number in doubled) % 10)


def _ibans(chance: random.Random) -> Iterator[Sample]:
    from stdnum import iban, numdb

    for _, country, _, properties, _ in numdb.get("iban").prefixes:
        account = "".join(_part(chance, int(n), of) for n, of in re.findall(r"(\d+)!([nac])", properties["bban"]))
        number = country + iban.calc_check_digits(f"{country}00{account}") + account
        value = _grouped(number, (4,) * 9, chance.choice(("", " ", " ", "-", "\u00a0")))
        value = value.lower() if chance.random() < 0.2 else value
        yield Sample("IBAN", chance.choice(NEUTRAL).format(value), value)


def _part(chance: random.Random, count: int, of: str) -> str:
    letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    return "".join(chance.choices({"n": digits, "a": letters, "c": digits + letters}[of], k=count))


def _grouped(number: str, sizes: tuple[int, ...], separator: str) -> str:
    ends = list(accumulate(sizes, initial=0))
    return separator.join(number[start:end] for start, end in pairwise(ends) if number[start:end])


def _ssns(chance: random.Random) -> Iterator[Sample]:
    for number in range(240):
        area = chance.choice([n for n in range(1, 900) if n != 666])
        parts = (f"{area:03}", f"{chance.randint(1, 99):02}", f"{chance.randint(1, 9999):04}")
        shaped = number % 4
        value = ("-", " ", "-", "")[shaped].join(parts)
        group = ("US_SSN dashes", "US_SSN blanks", "US_SSN dashes", "US_SSN nine digits, announced")[shaped]
        sentence = chance.choice(SSN_SENTENCES if shaped == 3 else NEUTRAL)
        yield Sample(group, sentence.format(value), value)


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))
