"""Writing systems: which letters can touch a number without belonging to it, and one form for all signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
"""Thai, Japanese, Chinese and Korean: they put no space around what is written in other signs."""
SPACED = rf"[^\W{UNSPACED}]"
"""A letter, digit or underscore of any other script."""
ALONE, ENDS = rf"(?<!{SPACED})(?<!-)", rf"(?!-?{SPACED})"
"""Before and after a number that is not part of a longer word or number."""
INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Marks of direction and joining, which keyboards and address books leave inside numbers and addresses."""
BLANKS = "\u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
DASHES = "\u2212\ufe63\uff0d" + "".join(map(chr, range(0x2010, 0x2016)))
SIGNS = str.maketrans(
    dict.fromkeys(BLANKS, " ") | dict.fromkeys(DASHES, "-") | dict(zip("＠＋．（）／", "@+.()/", strict=True))
)


def in_one_form(text: str) -> tuple[str, Sequence[int]]:
    """Return the text with ASCII digits, blanks, dashes, @ and +, without invisible marks.

    :returns: the text, and for each of its characters the place where it stands in the original.
    """
    if text.isascii():
        return text, range(len(text))
    if INVISIBLE.search(text) is None:
        return text.translate(_ascii_signs()), range(len(text))
    places = [place for place, char in enumerate(text) if not INVISIBLE.match(char)]
    return "".join(text[place] for place in places).translate(_ascii_signs()), places


@cache
def _ascii_signs() -> dict[int, str]:
    digits = (code for code in range(128, 0x20000) if chr(code).isdecimal())
    return SIGNS | {code: str(unicodedata.decimal(chr(code))) for code in digits}
