"""One run a home: two would share a ledger and a budget they both believe their own."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from feedback.errors import RunInProgress, SettingError


@contextlib.contextmanager
def run_lock(home: Path) -> Iterator[None]:
    """Hold the home for the length of a run. The lock goes with the process, however it ends.

    :raises RunInProgress: another process holds it; the line names that process.
    :raises SettingError: the home is no folder that we may write to.
    """
    with _opened(home) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = lock.read().strip() or "unknown"
            raise RunInProgress(f"another run is at work in {home}: {who}; wait for it or stop it") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} since {datetime.now():%Y-%m-%d %H:%M:%S}")
        lock.flush()
        yield


def _opened(home: Path) -> TextIO:
    try:
        # Its files hold customers' words, some of them unmasked.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (home / "run.lock").open("a+")
    except OSError as error:
        raise SettingError(
            f"FEEDBACK_HOME={home} cannot be written ({error.strerror}): let it name a folder that can"
        ) from None
