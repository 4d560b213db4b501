"""The journal: what is paid, on this machine's disk before it is in the warehouse.

Each line is a JSON object. A segment belongs to the process that holds its lock; the kernel lets
go of it when that process is killed, and the next task writes what it finds into the ledger. Answers hold
customers' quotes: folder and files are for their owner alone, and gone once the ledger has them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import to_json

Row = Mapping[str, Any]
OWNER_ALONE = 0o600


class Journal:
    """The segments that one task writes, one after another."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._name = f"{time.time_ns():020}-{os.getpid()}"
        self._count = 0
        self._files: dict[Path, int] = {}
        self._written = False
        self._begin()

    def write(self, said: Row) -> None:
        """Append one line: after a kill all of it is there, or none."""
        os.write(self._descriptor, to_json(said) + b"\n")
        self._written = True

    def sync(self) -> None:
        """Bring what was written to the disk, so that it outlives the machine's power."""
        if self._written:
            self._written = False
            os.fsync(self._descriptor)

    def turn(self) -> Callable[[], None]:
        """Begin a new segment; return what drops those before it, to be called once the ledger has them.

        Safe while another thread writes: a row of which the ledger knows before it is written is in a segment
        before the turn only if it was known before the turn.
        """
        before = list(self._files)
        self.sync()
        self._begin()
        return lambda: self._drop(before)

    def close(self) -> None:
        """Drop everything: the ledger has it."""
        self._drop(list(self._files))

    def _begin(self) -> None:
        self._count += 1
        path = self._folder / f"{self._name}-{self._count:06}.jsonl"
        unlocked = path.with_suffix(".new")
        descriptor = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, OWNER_ALONE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(path)  # it is found only once it is locked
        self._files[path] = self._descriptor = descriptor

    def _drop(self, paths: Sequence[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            os.close(self._files.pop(path))


@contextlib.contextmanager
def left_behind(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Lend the lines that killed tasks have left, oldest first; their segments go once the caller has kept them.

    Segments of a task that lives are left alone, and so is everything if the caller fails.
    """
    with contextlib.ExitStack() as stack:
        mine = {path: file for path in sorted(folder.glob("*.jsonl")) if (file := _taken(path, stack))}
        lines = []
        for file in mine.values():
            for line in file:
                with contextlib.suppress(ValueError):  # the last line of a task that was killed while it wrote
                    lines.append(json.loads(line))
        yield lines
        for path in mine:
            path.unlink(missing_ok=True)


def _taken(path: Path, stack: contextlib.ExitStack) -> Any:
    """Open a segment and take its lock; None where its task lives, or another one was here first."""
    try:
        file = stack.enter_context(path.open("r+", encoding="utf-8"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return None
    return file if path.exists() else None
