"""A small process beside the launcher that outlives even its kill -9, to take the parts along.

The launcher tells it of every process group over a pipe: `+123` when one begins, `-123` when it has ended.
When the pipe closes the launcher is gone, and what is still on the list is killed, grandchildren included.
On Linux each part also asks the kernel to be killed with the launcher (see `process`); the guard is what
remains on other systems, and what reaches below the parts everywhere.
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

    def began(self, group: int) -> None:
        self._groups.add(group)
        self._tell(f"+{group}")

    def ended(self, group: int) -> None:
        self._groups.discard(group)
        self._tell(f"-{group}")

    def close(self) -> None:
        """Ends the guard; groups that were not reported as ended are killed."""
        self._process.communicate()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.launcher.guard"],
            cwd=self._root,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # no Ctrl-C and no closed terminal reaches it
            text=True,
        )

    def _tell(self, word: str) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(word + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # somebody killed the guard: the next one hears of everything that still runs
            self._process.wait()
            self._start()
            for group in self._groups:
                self._tell(f"+{group}")


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
