"""Reading SQL as text where no engine is at hand: statements apart, comments away, placeholders changed.

Quoted text is never looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COMMENT = r"--[^\n]*|/\*.*?\*/"
_QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$"
_TOKEN = re.compile(
    rf"(?P<comment>{_COMMENT})|(?P<quoted>{_QUOTED})|(?P<blank>\s+)|(?P<code>[^\s'\"$/;?%-]+|.)", re.DOTALL
)


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    for token in _TOKEN.finditer(sql):
        yield token.lastgroup or "", token.group()


def statements(sql: str) -> list[str]:
    """Return the statements of a script, each without comments and with single spaces."""
    found: list[list[str]] = [[]]
    for kind, text in _tokens(sql):
        if (kind, text) == ("code", ";"):
            found.append([])
        elif kind in ("code", "quoted"):
            found[-1].append(text)
        elif found[-1] and found[-1][-1] != " ":
            found[-1].append(" ")
    return [one for one in ("".join(tokens).strip() for tokens in found) if one]


def format_style(sql: str) -> str:
    """Return a statement with ``%s`` for each ``?``, as a client that quotes values itself wants it."""
    changed = {"?": "%s", "%": "%%"}
    return "".join(
        changed.get(text, text) if kind == "code" else text.replace("%", "%%") for kind, text in _tokens(sql)
    )
