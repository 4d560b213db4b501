"""The files that a variable names: one, or those below a folder, each known by name and content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from feedback.errors import InputRefused
from feedback.model import Gap
from feedback.sources.archive import all_names, files_below, read_file
from feedback.sources.base import Finding, Part, Unreadable, fingerprint


class NamedFile(NamedTuple):
    """A file that was read and not yet parsed."""

    part: Part
    path: Path
    content: bytes


def named_files(source: str, path: Path, suffix: str, variable: str) -> Iterator[NamedFile | Gap]:
    """Yield each file, or a gap where it cannot be read.

    :raises InputRefused: nothing is there.
    :raises OSError: a folder may not be looked into.
    """
    for name, file in _places(path, suffix, variable).items():
        try:
            content = read_file(file, name)
        except Unreadable as refused:
            yield refused.gap(source, name, None)
        else:
            yield NamedFile(Part(name, len(content), fingerprint(content)), file, content)


def examined(source: str, path: Path, suffix: str, variable: str) -> Finding:
    """Return how many files would be read.

    :raises InputRefused: nothing is there.
    """
    number = len(_places(path, suffix, variable))
    return Finding(source, True, f"{path}, {number} {suffix} file{'s' * (number > 1)}")


def _places(path: Path, suffix: str, variable: str) -> dict[str, Path]:
    """The files by name, relative to the folder if it is one."""
    if not path.is_dir():
        if not path.exists():
            raise InputRefused(f"{path} does not exist: correct {variable} or unset it")
        return {path.name: path}
    below = [file.relative_to(path).as_posix() for file in files_below(path) if file.is_file()]
    found = {name: path / name for name in all_names(below, suffix)}
    if not found:
        raise InputRefused(f"{path} holds no {suffix} file: correct {variable} or unset it")
    return found
