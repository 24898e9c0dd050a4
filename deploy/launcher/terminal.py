"""What the launcher says: one line an event, so that the terminal stays calm. The rest goes to log files."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


class LaunchError(Exception):
    """Something that the person at the terminal can mend; the text is a sentence that says how."""


def say(line: str = "") -> None:
    """Prints one line. A terminal that was closed is no reason to fall over while stopping the parts."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class Progress:
    """The seconds that a long step has taken: in place on a terminal, else a line now and then."""

    EVERY = 15  # seconds between two lines where there is no terminal

    def __init__(self, what: str) -> None:
        self.what = what
        self.in_place = sys.stdout.isatty()
        self.said = 0

    def show(self, seconds: float) -> None:
        if self.in_place and int(seconds) > self.said:
            self.said = int(seconds)
            self._write(f"\r  {self.what:<14}{self.said} s ")
        elif not self.in_place and seconds >= self.said + self.EVERY:
            self.said = int(seconds)
            say(f"  {self.what:<14}starting, {self.said} s so far")

    def close(self, result: str) -> None:
        """Ends the step with its last line, e.g. `ready after 12 s`."""
        say(("\r" if self.in_place else "") + f"  {self.what:<14}{result}")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)
            sys.stdout.flush()


def last_lines(log: Path, begin: int = 0, count: int = 12) -> str:
    """The last lines of a log from byte `begin` on, indented; at most 8 kB are read. Empty where there are
    none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(begin, size - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:])
