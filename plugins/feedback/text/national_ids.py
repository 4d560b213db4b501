"""Finds national ids: by a country's shape and checksum, or by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from feedback.text.checksums import compact, is_valid
from feedback.text.scripts import ALONE, ENDS

SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(f"{ALONE}{shape}{ENDS}"))
    for name, shape in (
        ("us.ssn", r"\d{3}([-. ])\d{2}\1\d{4}"),
        ("us.itin", r"9\d{2}([- ])\d{2}\1\d{4}"),
        ("ca.sin", r"\d{3}([- ])\d{3}\1\d{3}"),
        ("br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d{2}"),
        ("de.idnr", r"(?<![.,+])\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        ("es.dni", r"\d{8}[ -]?[A-Za-z]"),
        ("es.nie", r"[XYZxyz][ -]?\d{7}[ -]?[A-Za-z]"),
        ("fr.nir", r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"),
        ("it.codicefiscale", r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]"),
        ("pl.pesel", r"(?<![.,+])\d{11}"),
        ("be.nn", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
        ("ch.ssn", r"756\.\d{4}\.\d{4}\.\d{2}"),
        ("fi.hetu", r"\d{6}[-+A]\d{3}[0-9A-Z]"),
        ("se.personnummer", r"\d{6}(?:\d{2})?[-+]\d{4}"),
        ("kr.rrn", r"\d{6}-\d{7}"),
        ("in_.aadhaar", r"\d{4}([- ])\d{4}\1\d{4}"),
        ("cn.ric", r"\d{17}[\dXx]"),
        ("mx.curp", r"[A-Z]{4}\d{6}[A-Z]{6}[0-9A-Z]\d"),
    )
)
"""Modules of python-stdnum with a checksum, or at least a plan, and how people write these ids."""
NAMED = re.compile(
    r"\b(?:(?:[Ss][Ss][Nn]|ITIN|SIN|NINO|BSN|CPF|DNI|NIE|NIF|NIR|PESEL|CURP|AHV|IdNr)\b"
    r"|(?i:social (?:security|insurance)|national insurance|national id|passport (?:no|number|#)|aadhaar|personnummer"
    r"|codice fiscale|steuer-?id\w*))"
    rf"[^\d\n]{{0,16}}?(?P<id>[A-Za-z]{{0,2}}\d(?:[ ./-]?\d){{5,12}}(?: ?[A-Za-z])?){ENDS}"
)
"""Where the words say what it is, a slip in the number makes it no less personal."""
COUNTED = re.compile(
    r"(?:\b(?:order|ticket|invoice|case|issue|build|version|serial|tracking)\b[^\d\n]{0,12}|#\s?)$", re.IGNORECASE
)
"""Before numbers that something else than a state gave out."""


def national_ids(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where an id starts and ends, and the id alone."""
    for match in NAMED.finditer(text):
        yield *match.span("id"), compact(match["id"])
    for name, shape in SHAPES:
        for match in shape.finditer(text):
            if is_valid(name, re.sub("[ .]", "", match.group())) and not _is_counted(text, match.start()):
                yield *match.span(), compact(match.group())


def _is_counted(text: str, start: int) -> bool:
    return COUNTED.search(text, max(0, start - 30), start) is not None
