"""A child process in its own group, with its own log, that never outlives the launcher."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOG_MAX_BYTES = 10_000_000  # a larger log is rotated


class Process:
    """A running command whose output is appended to `log`; standard output goes to `output` if that is a file
    descriptor. Create it in the main thread only: on Linux the process is killed when the thread that started it ends.
    """

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
        self.log_begin = 0
        self.rotate_log()
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

    def rotate_log(self) -> None:
        """Moves a log that is too large to `.1`. The process keeps its descriptor, so the file is copied and emptied;
        what is written in between is lost.
        """
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_MAX_BYTES:
                shutil.copyfile(self.log, self.log.with_name(self.log.name + ".1"))
                os.truncate(self.log, 0)
                self.log_begin = 0

    def alive(self) -> bool:
        return self._popen.poll() is None

    def ending(self) -> str:
        """How it ended, for messages: `exit 1` or `killed by SIGKILL`."""
        code = self._popen.poll()
        return f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit {code}"

    def succeeded(self) -> bool:
        return self._popen.poll() == 0

    def ask_to_stop(self) -> None:
        """Sends SIGTERM only to the process itself, which can shut down its children in order."""
        if self.alive():
            self._popen.terminate()

    def kill(self) -> None:
        """Kills what is left of the process group. Only once: the kernel may reuse its id."""
        if not self._over:
            kill_group(self.group)
            self._popen.wait()
            self._over = True


def kill_group(group: int) -> None:
    """Sends SIGKILL to every process of a group; ignores a group that is gone or, on macOS, has only zombies."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def dies_with(launcher: int) -> Callable[[], None] | None:
    """A `preexec_fn` for Linux that makes the kernel kill the child when the launcher dies; None elsewhere."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:  # the launcher died before prctl took effect
            os._exit(1)

    return set_death_signal
