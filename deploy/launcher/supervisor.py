"""Starts the parts one after another, keeps them alive, and leaves nothing behind when it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from deploy.launcher.guard import Guard
from deploy.launcher.process import Process
from deploy.launcher.terminal import LaunchError, Progress, last_lines, say

TICK = 0.2  # seconds between two looks at the parts
ASK_EVERY = 0.5  # seconds between two questions whether a part is ready
HEALTHY = 60.0  # seconds alive after which earlier deaths are forgotten
LONGEST_PAUSE = 30.0  # seconds before a part that keeps dying is started again
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One long-running piece of the product."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    patience: float = 60.0  #: seconds it may take to become ready
    drain: float = 10.0  #: seconds it may take to end what it is doing, after SIGTERM
    outlasts: bool = False  #: the others need it to end well: it stops when all of them have ended


class Stopped(Exception):
    """Somebody asked the launcher to end."""


@dataclass
class _Running:
    part: Part
    process: Process
    deaths: int = 0
    again_at: float | None = field(default=None)  # monotonic seconds; set while it waits for its next start


class Supervisor:
    """Use as a context: leaving it, however that happens, stops all parts, the last first.

    `logs` gets one file a part. With `parent`, a process id, it also ends when its parent is no longer that
    process.
    """

    def __init__(self, root: Path, logs: Path, environment: Mapping[str, str], parent: int | None = None) -> None:
        self.root = root
        self.logs = logs
        self.environment = environment
        self.parent = parent
        self._running: list[_Running] = []
        self._signals = 0

    def __enter__(self) -> Supervisor:
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:  # nohup means it
                signal.signal(number, self._signaled)
        self._guard = Guard(self.root)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Stops everything. A wish to end is not an error."""
        began = time.monotonic()
        if self._running:
            say("Stopping …")
        for outlasts in (False, True):
            self._stop([running for running in reversed(self._running) if running.part.outlasts is outlasts])
        self._guard.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._running:
            say(f"Stopped after {time.monotonic() - began:.1f} s.")
        return kind is Stopped

    def start(self, part: Part) -> None:
        """Starts a part and returns when it is ready, meanwhile keeping the earlier ones alive.

        Raises LaunchError with the last lines of its log where it ends, or is not ready in time; Stopped.
        """
        progress = Progress(part.name)
        running = _Running(part, self._spawn(part))
        self._running.append(running)
        process = running.process
        ask_at = process.began
        while True:
            if time.monotonic() >= ask_at:
                if part.ready():
                    break
                ask_at = time.monotonic() + ASK_EVERY
            seconds = time.monotonic() - process.began
            if not process.alive():
                raise self._failure(process, f"{part.name} ended before it was ready ({process.ending()})")
            if seconds > part.patience:
                raise self._failure(process, f"{part.name} was not ready after {part.patience:.0f} s")
            progress.show(seconds)
            self._pause(besides=running)
        progress.close(f"ready after {time.monotonic() - process.began:.1f} s")

    def complete(self, name: str, command: list[str]) -> None:
        """Runs a command to its end. Raises LaunchError with the last lines of its log where it fails;
        Stopped."""
        progress = Progress(name)
        process = self._to_the_end(name, command, progress)
        progress.close(f"ready after {time.monotonic() - process.began:.1f} s")

    def answer(self, name: str, command: list[str]) -> str:
        """What a command prints on its standard output, which reaches no log. Raises as `complete` does."""
        read, write = os.pipe()
        with os.fdopen(read) as answer:
            try:
                self._to_the_end(name, command, Progress(name), output=write)
            finally:
                os.close(write)
            return answer.read().strip()

    def watch(self) -> None:
        """Keeps the parts alive until a signal comes, which raises Stopped."""
        while True:
            self._pause()

    def _pause(self, besides: _Running | None = None) -> None:
        if self._signals or (self.parent and os.getppid() != self.parent):
            raise Stopped
        time.sleep(TICK)
        for running in self._running:
            if running is not besides:
                self._keep_alive(running)

    def _keep_alive(self, running: _Running) -> None:
        now = time.monotonic()
        if running.again_at is not None:
            if now >= running.again_at:
                running.process = self._spawn(running.part)
                running.again_at = None
            return
        if running.process.alive():
            return
        if now - running.process.began >= HEALTHY:
            running.deaths = 0
        pause = min(2.0**running.deaths, LONGEST_PAUSE)
        running.deaths += 1
        running.again_at = now + pause
        say(f"{running.part.name} ended ({running.process.ending()}); it starts again in {pause:.0f} s")
        if running.deaths > 1:
            say(last_lines(running.process.log, running.process.log_begin))
            say(f"    ({running.process.log})")
        self._end(running.process)

    def _stop(self, parts: list[_Running]) -> None:
        """Asks all of them to end, in this order, then waits; who does not end in its time is killed."""
        began, asked = time.monotonic(), max(self._signals, 1)
        for running in parts:
            running.process.ask_to_stop()
        for running in parts:
            # A second Ctrl-C ends the patience.
            while running.process.alive() and self._signals <= asked:
                if time.monotonic() > began + running.part.drain:
                    break
                time.sleep(TICK / 4)
            if running.process.alive():
                say(f"{running.part.name} did not end by itself and was killed")
            self._end(running.process)

    def _to_the_end(self, name: str, command: list[str], progress: Progress, output: int | None = None) -> Process:
        process = self._begin(name, command, output)
        try:
            while process.alive():
                progress.show(time.monotonic() - process.began)
                self._pause()
        finally:
            self._end(process)
        if not process.succeeded():
            raise self._failure(process, f"{name} failed ({process.ending()})")
        return process

    def _spawn(self, part: Part) -> Process:
        return self._begin(part.name, part.command)

    def _begin(self, name: str, command: list[str], output: int | None = None) -> Process:
        log = self.logs / f"{name.lower().replace(' ', '-')}.log"
        process = Process(command, log, self.environment, self.root, output)
        self._guard.began(process.group)
        return process

    def _end(self, process: Process) -> None:
        process.kill()
        self._guard.ended(process.group)

    def _failure(self, process: Process, what: str) -> LaunchError:
        lines = last_lines(process.log, process.log_begin)
        return LaunchError(
            f"{what}. " + (f"The end of {process.log}:\n{lines}" if lines else f"{process.log} is empty.")
        )

    def _signaled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
