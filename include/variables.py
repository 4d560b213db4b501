"""What the text of a variable may say, and how it is refused: one line that names the variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from feedback.errors import SettingError

PREFIX = "FEEDBACK_"
LONGEST_SHOWN = 60
LIKENESS = 0.75
"""How alike a name must be to one of ours to be a slip of the pen, and not somebody else's variable."""
MOST = 10**9
"""No count, second or day of ours is larger; calendars and clocks break on what is."""


class Reader:
    """Reads FEEDBACK_<name>; an empty variable is an unset one, as compose passes them."""

    def __init__(self, given: Mapping[str, str]):
        self.given = given
        self.known: set[str] = set()

    def __call__(self, name: str, parse: Callable[[str], Any], default: Any, wanted: str | None = None) -> Any:
        self.known.add(name)
        variable = PREFIX + name
        value = self.given.get(variable, "").strip()
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError, OSError) as error:
            shown = value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…"
            raise SettingError(f"{variable}={shown!r} is not {wanted or error}: correct it or unset it") from None

    def unread(self) -> tuple[str, ...]:
        """Return the variables that are called like ours and are none, now that all of ours have been read.

        :raises SettingError: one of them is most likely misspelt: a limit that nobody reads limits nothing.
        """
        named = sorted(variable for variable, value in self.given.items() if value and variable.startswith(PREFIX))
        unread = [variable for variable in named if variable.removeprefix(PREFIX) not in self.known]
        for variable in unread:
            for meant in get_close_matches(variable.removeprefix(PREFIX), self.known, 1, LIKENESS):
                raise SettingError(f"{variable} is no variable of ours: write {PREFIX}{meant} or unset it")
        return tuple(unread)


def under(folder: Path) -> Callable[[str], Path]:
    """A path; one that is not absolute starts at ``folder``."""

    def parse(value: str) -> Path:
        try:
            return folder / Path(value).expanduser()
        except RuntimeError:
            raise ValueError("a path on this machine, which has no such user") from None

    return parse


def names(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))


def names_like(pattern: str, wanted: str) -> Callable[[str], tuple[str, ...]]:
    def parse(value: str) -> tuple[str, ...]:
        found = names(value)
        if not all(re.fullmatch(pattern, name, re.ASCII) for name in found):
            raise ValueError(f"a list of {wanted}")
        return found

    return parse


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return parse


def matching(pattern: str, wanted: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(wanted)
        return value

    return parse


def whole(least: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdecimal() or len(value) > len(str(MOST)) or not least <= int(value) <= MOST:
            raise ValueError(f"a whole number from {least} to {MOST}")
        return int(value)

    return parse


def asset(value: str) -> tuple[str, str | None]:
    """Return name and uri: ``name``, or ``name=uri`` where the producing Dag gives the asset a uri."""
    name, _, uri = value.partition("=")
    if not name.isascii() or not name.strip():
        raise ValueError("the name of an asset, or name=uri")
    return name.strip(), uri or None


def dollars(value: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise ValueError("an amount of US dollars such as 2.50")
    return amount


def switch(value: str) -> bool:
    words = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
    if value.lower() not in words:
        raise ValueError("on or off")
    return words[value.lower()]


def zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, KeyError, OSError):
        raise ValueError("a time zone such as Europe/Berlin") from None
    return value


def region(value: str) -> str:
    """A country whose numbers can be read: with another, numbers without prefix would stay unmasked."""
    from phonenumbers import SUPPORTED_REGIONS

    if value not in SUPPORTED_REGIONS:
        raise ValueError("a country in two capital letters such as DE or GB")
    return value


def cron(value: str) -> str:
    from croniter import croniter

    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise ValueError("five cron fields such as 0 7 * * *")
    return value


def instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        raise ValueError("an ISO instant such as 2026-11-02T09:00:00Z") from None
