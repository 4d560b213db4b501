"""What is said of an error that is not one of ours: one line, and the rest in a file that the line names."""

from __future__ import annotations

import errno
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from include import settings

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
ROOM_NEEDED = 2**20
"""With less left than a database writes at once, whatever went wrong went wrong for want of room."""


def line(verb: str, error: Exception) -> str:
    """Return what a person reads. Of the error itself only its kind: its text may quote a customer."""
    home = settings.load().home
    if getattr(error, "errno", None) in NO_ROOM or not has_room(home, ROOM_NEEDED):
        return no_room(home)
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.filename}: {error.strerror}; let us read and write there,"
            " or correct the variable or the option that names it"
        )
    file = _kept(home, verb, error)
    where = f"its traceback is in {file}" if file else "its traceback could not be written anywhere"
    return f"{verb} failed with {type(error).__name__}, which should not happen; {where}"


def no_room(home: Path) -> str:
    """Return what is said where the disk is full."""
    return (
        f"no room left on the device of {home}: free some, or let FEEDBACK_HOME name another folder;"
        " what was published is kept"
    )


def has_room(home: Path, size: int) -> bool:
    """Whether so many bytes are free where ``home`` is, or will be."""
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    return shutil.disk_usage(there).free >= size


def _kept(home: Path, verb: str, error: Exception) -> Path | None:
    """Write the traceback under the home, or where the system keeps such files."""
    name = f"{verb}-{datetime.now():%Y%m%d-%H%M%S}.log"
    for folder in (home / "logs", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("".join(_places(error)))
            return folder / name
        except OSError:
            continue
    return None


def _places(error: BaseException | None) -> Iterator[str]:
    """Yield where the error arose, and those before it, latest first."""
    while error is not None:
        yield from (*traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n\n")
        error = error.__cause__ or error.__context__
