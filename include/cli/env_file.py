"""The file of variables that ``make`` reads: taken whole, or refused in a line that names it."""

from __future__ import annotations

import os
from pathlib import Path

from feedback.errors import SettingError


def read_env_file(file: Path) -> None:
    """Set what the file says and nobody exported.

    :raises SettingError: a line is no ``NAME=value``. Without it a run would do something else than it was told.
    """
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    try:
        with file.open(encoding="utf-8") as lines:
            broken = [binding.original.line for binding in parse_stream(lines) if binding.error]
    except UnicodeDecodeError:
        raise SettingError(f"{file} is not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise SettingError(f"{file} cannot be read ({error.strerror}): let us read it") from None
    if broken:
        raise SettingError(f"{file}, line {broken[0]}: write NAME=value, in single quotes where the value has spaces")
    for name, value in dotenv_values(file).items():
        if value is not None:
            os.environ.setdefault(name, value)
