"""Reads the files of a ZIP or a folder, whichever a person has, and never more of them than is sane.

Nothing is unpacked to disk. A file that lies about its size is stopped while it is read.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from feedback.errors import InputRefused
from feedback.sources.base import Unreadable

LARGEST_FILE = 256 * 2**20
LARGEST_RATIO = 200
"""JSON shrinks to a twentieth; what shrinks to less than a two-hundredth was made to explode."""
RATIO_COUNTS_FROM = 2**20
LARGEST_TOTAL = 2 * 2**30
LARGEST_TOTAL_RATIO = 60
MOST_FILES = 1_000_000


class Archive(Protocol):
    """A tree of files."""

    path: Path

    def names(self) -> list[str]:
        """Return the paths of its files, sorted, with slashes, relative to its top."""

    def unsafe(self) -> list[str]:
        """Return the paths that point outside, are absolute or are links: never read."""

    def read(self, name: str) -> bytes:
        """Return a file's content.

        :raises Unreadable: it is damaged, encrypted or larger than any honest file.
        """


def open_archive(path: Path) -> Archive:
    """Return the files of a ZIP or a folder.

    :raises InputRefused: nothing is there.
    :raises Unreadable: it is neither.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise InputRefused(f"{path} does not exist: correct FEEDBACK_SLACK_EXPORT or unset it")
    return Zip(path)


class Folder:
    """The files below a folder."""

    def __init__(self, path: Path):
        self.path = path
        everything = files_below(path)
        self._links = {_relative(file, path) for file in everything if _leaves(file, path)}
        self._names = [name for file in everything if (name := _relative(file, path)) not in self._links]

    def names(self) -> list[str]:
        return self._names

    def unsafe(self) -> list[str]:
        return sorted(self._links)

    def read(self, name: str) -> bytes:
        return read_file(self.path / name, name)


class Zip:
    """The files of a ZIP."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, NotImplementedError):
            raise Unreadable(
                "not_a_zip", f"{path} is no ZIP, or its end is missing: download or copy it again"
            ) from None
        files = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(files) > MOST_FILES:
            raise Unreadable("too_many_files", f"{path} holds {len(files)} files: this is no export of Slack")
        honest = sum(entry.file_size for entry in files if not _explodes(entry))
        if honest > max(LARGEST_TOTAL, LARGEST_TOTAL_RATIO * path.stat().st_size):
            raise Unreadable("too_large", f"{path} unpacks to {honest >> 30} GiB: this is no export of Slack")
        self._entries = {_name(entry): entry for entry in files if not _is_unsafe(entry)}
        self._unsafe = sorted({entry.filename for entry in files if _is_unsafe(entry)})

    def names(self) -> list[str]:
        return sorted(self._entries)

    def unsafe(self) -> list[str]:
        return self._unsafe

    def read(self, name: str) -> bytes:
        entry = self._entries[name]
        if _explodes(entry):
            raise _too_large(name)
        try:
            with self._zip.open(entry) as file:
                content = file.read(entry.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
            raise Unreadable("damaged", f"{name} in {self.path} is damaged or encrypted: get it again") from None
        if len(content) > entry.file_size:
            raise _too_large(name)
        return content


def files_below(folder: Path) -> list[Path]:
    """Return the files and links below a folder, sorted.

    :raises OSError: some folder of it may not be looked into, so that nobody knows what is missing.
    """
    found = [Path(place, name) for place, folders, files in os.walk(folder, onerror=_fail) for name in folders + files]
    return sorted(file for file in found if file.is_symlink() or file.is_file())


def read_file(file: Path, name: str) -> bytes:
    """Return what a file holds.

    :raises Unreadable: we may not read it, or it is larger than any honest file.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise _too_large(name)
        return file.read_bytes()
    except OSError as error:
        raise Unreadable("no_access", f"{file} cannot be read ({error.strerror}): let us read it") from None


def _fail(error: OSError) -> None:
    raise error


def _too_large(name: str) -> Unreadable:
    return Unreadable("too_large", f"{name} unpacks to more than an honest file would: it was not read")


def _explodes(entry: zipfile.ZipInfo) -> bool:
    inflates = entry.file_size > max(RATIO_COUNTS_FROM, LARGEST_RATIO * entry.compress_size)
    return inflates or entry.file_size > LARGEST_FILE


def _is_unsafe(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    return is_link or not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]


def _name(entry: zipfile.ZipInfo) -> str:
    """The path as it was meant: tools that write UTF-8 do not all say so, and then it is read as code page 437."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


def _relative(file: Path, top: Path) -> str:
    return file.relative_to(top).as_posix()


def _leaves(file: Path, top: Path) -> bool:
    """Whether a link leads out of the folder, or nowhere."""
    return not (file.resolve().is_relative_to(top.resolve()) and file.is_file())


def all_names(names: Iterable[str], suffix: str) -> Iterator[str]:
    """Yield the names that end so, without those an operating system left behind."""
    for name in names:
        parts = PurePosixPath(name).parts
        if name.lower().endswith(suffix) and "__MACOSX" not in parts and not parts[-1].startswith("."):
            yield name
