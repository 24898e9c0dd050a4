"""A small process beside the launcher that kills all programs if the launcher dies, even by kill -9.

The launcher reports every process group over a pipe: `+123` when it starts, `-123` when it has ended. The pipe closes
when the launcher is gone; then the guard kills the remaining groups, grandchildren included. On Linux the kernel also
kills each program with the launcher (see `process`), but not its children.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from deploy.launcher.process import kill_group


class Guard:
    """The launcher's end of the pipe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._groups: set[int] = set()
        self._start()

    @property
    def process_id(self) -> int:
        return self._process.pid

    def add(self, group: int) -> None:
        self._groups.add(group)
        self._send(f"+{group}")

    def remove(self, group: int) -> None:
        self._groups.discard(group)
        self._send(f"-{group}")

    def close(self) -> None:
        """Ends the guard, which kills the groups that were not removed."""
        self._process.communicate()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.launcher.guard"],
            cwd=self._root,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # shields it from Ctrl-C and from a closed terminal
            text=True,
        )

    def _send(self, message: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(message + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # the guard was killed: start another one and report all running groups to it
            self._process.wait()
            self._start()
            for group in self._groups:
                self._send(f"+{group}")


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        groups.add(group) if line[0] == "+" else groups.discard(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    main()
