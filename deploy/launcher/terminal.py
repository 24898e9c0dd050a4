"""Terminal output of the launcher: one line per event; everything else goes to log files."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


class LaunchError(Exception):
    """A problem that the user can fix; the text says how."""


def say(line: str = "") -> None:
    """Prints one line; ignores a closed terminal, so that the programs can still be stopped."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class Progress:
    """Shows how long a step has taken: in place on a terminal, else with a line every `EVERY` seconds."""

    EVERY = 15

    def __init__(self, what: str) -> None:
        self.what = what
        self.in_place = sys.stdout.isatty()
        self.shown = 0

    def show(self, seconds: float) -> None:
        if self.in_place and int(seconds) > self.shown:
            self.shown = int(seconds)
            self._write(f"\r  {self.what:<14}{self.shown} s ")
        elif not self.in_place and seconds >= self.shown + self.EVERY:
            self.shown = int(seconds)
            say(f"  {self.what:<14}starting, {self.shown} s so far")

    def close(self, result: str) -> None:
        """Prints the last line of the step, e.g. `ready after 12 s`."""
        say(("\r" if self.in_place else "") + f"  {self.what:<14}{result}")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)
            sys.stdout.flush()


def last_lines(log: Path, begin: int = 0, count: int = 12) -> str:
    """The last lines of a log from byte `begin` on, indented, of at most 8 kB; empty if there are none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(begin, size - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-count:])
