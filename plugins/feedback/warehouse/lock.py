"""A lock file that says who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path


class StillHeldError(Exception):
    """The lock was not released in time. ``pid`` is who holds it, where the file says so."""

    def __init__(self, pid: int | None):
        super().__init__(pid)
        self.pid = pid


@contextlib.contextmanager
def held(path: Path, patience: float) -> Iterator[None]:
    """Hold a lock that the kernel releases even if this process is killed.

    :raises StillHeldError: somebody else held it for longer than ``patience`` seconds.
    """
    with path.open("a+") as file:
        _acquire(file.fileno(), path, time.monotonic() + patience)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough where a forked process has the file too


def _acquire(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                pid = path.read_text().strip()
                raise StillHeldError(int(pid) if pid.isdecimal() else None) from None
        time.sleep(random.uniform(0.002, 0.02))  # noqa: S311  waiters must not fall into step
