"""Allows one run per `var` folder: two would unknowingly share a database, a broker and logs."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.launcher.terminal import LaunchError


@contextmanager
def only_run(file: Path, address: str) -> Iterator[None]:
    """Locks `file`. The kernel releases the lock when the process ends, however it ends, so it never goes stale.

    Raises LaunchError that names the process and address of the run that holds the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process, other = (*lock.read().split(), "?", "?")[:2]
            raise LaunchError(
                f"ScalpSpectra already runs from this folder: {other} (process {process})."
                f" Stop it with Ctrl-C in its terminal or with: kill {process}"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {address}\n")
        lock.flush()
        yield
