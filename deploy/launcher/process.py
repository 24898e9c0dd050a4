"""One process of ours: in its own group, writing to its own log, never outliving the launcher."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LARGEST_LOG = 10_000_000  # bytes after which a log is set aside when its part starts


class Process:
    """A command that runs with what it says going to the end of `log`, except its standard output where
    `output` is a file descriptor. Start it from the main thread only: Linux ties it to the thread that
    starts it."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
        output: int | None = None,
    ) -> None:
        self.log = log
        self.began = time.monotonic()
        self._over = False
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_name(log.name + ".1"))
        with log.open("ab") as end:
            self.log_begin = end.tell()
            self._popen = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=end if output is None else output,
                stderr=end,
                process_group=0,
                preexec_fn=dies_with(os.getpid()),
            )
        self.group = self._popen.pid

    def alive(self) -> bool:
        return self._popen.poll() is None

    def ending(self) -> str:
        """How it ended, in words: `exit 1` or `killed by SIGKILL`."""
        code = self._popen.poll()
        return f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit {code}"

    def succeeded(self) -> bool:
        return self._popen.poll() == 0

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself, which knows best how to end what it started."""
        if self.alive():
            self._popen.terminate()

    def kill(self) -> None:
        """Ends the process and whatever is left of its group. Once: later the number may be somebody
        else's."""
        if not self._over:
            kill_group(self.group)
            self._popen.wait()
            self._over = True


def kill_group(group: int) -> None:
    """SIGKILL to every process of a group; none is left where the group is gone or, on macOS, all zombies."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def dies_with(launcher: int) -> Callable[[], None] | None:
    """On Linux, what a child does before its command starts: ask the kernel to be killed when the launcher
    dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # it died in between
            os._exit(1)

    return ask
