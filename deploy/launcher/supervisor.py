"""Starts the programs one after another, restarts those that die, and stops all of them when it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from deploy.launcher.guard import Guard
from deploy.launcher.process import Process
from deploy.launcher.terminal import LaunchError, Progress, last_lines, say

TICK = 0.2  # seconds between checks whether the programs are alive
READY_CHECK_SECONDS = 0.5  # between checks whether a program is ready
HEALTHY_SECONDS = 60.0  # of running, after which earlier crashes are forgotten
MAX_RESTART_SECONDS = 30.0  # before a program that keeps crashing is started again
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Program:
    """A long-running process of the product."""

    name: str
    command: list[str]
    ready: Callable[[], bool]
    start_timeout: float = 60.0  #: seconds until it must be ready
    stop_timeout: float = 10.0  #: seconds to finish its work after SIGTERM
    outlasts: bool = False  #: stops only after all others have ended, because they need it to shut down


class Stopped(Exception):
    """The launcher was asked to end."""


@dataclass
class _Running:
    program: Program
    process: Process
    crashes: int = 0
    restart_at: float | None = None  # monotonic seconds; set while it waits to be restarted


class Supervisor:
    """A context manager that stops all programs on exit, in reverse order.

    `logs` gets one file per program. With `parent`, a process id, it also ends when its parent is no longer that
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
            if handler is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._count_signal)
        self._guard = Guard(self.root)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        """Stops everything, and suppresses Stopped, which is not an error."""
        began = time.monotonic()
        if self._running:
            say("Stopping …")
        for outlasts in (False, True):
            self._stop([running for running in reversed(self._running) if running.program.outlasts is outlasts])
        self._guard.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._running:
            say(f"Stopped after {time.monotonic() - began:.1f} s.")
        return kind is Stopped

    def start(self, program: Program) -> None:
        """Starts a program and returns when it is ready; meanwhile keeps the earlier ones alive.

        Raises LaunchError with the end of its log if it ends or is not ready in time; Stopped.
        """
        progress = Progress(program.name)
        running = _Running(program, self._spawn(program.name, program.command))
        self._running.append(running)
        process = running.process
        check_at = process.began
        while True:
            if time.monotonic() >= check_at:
                if program.ready():
                    break
                check_at = time.monotonic() + READY_CHECK_SECONDS
            seconds = time.monotonic() - process.began
            if not process.alive():
                raise self._failure(process, f"{program.name} ended before it was ready ({process.ending()})")
            if seconds > program.start_timeout:
                raise self._failure(process, f"{program.name} was not ready after {program.start_timeout:.0f} s")
            progress.show(seconds)
            self._pause(besides=running)
        progress.close(f"ready after {time.monotonic() - process.began:.1f} s")

    def run(self, name: str, command: list[str]) -> None:
        """Runs a command to completion. Raises LaunchError with the end of its log if it fails; Stopped."""
        progress = Progress(name)
        process = self._run_to_end(name, command, progress)
        progress.close(f"ready after {time.monotonic() - process.began:.1f} s")

    def read_output(self, name: str, command: list[str]) -> str:
        """Returns the standard output of a command without logging it. Raises the same errors as `run`."""
        read, write = os.pipe()
        with os.fdopen(read) as output:
            try:
                self._run_to_end(name, command, Progress(name), output=write)
            finally:
                os.close(write)
            return output.read().strip()

    def watch(self) -> None:
        """Keeps the programs alive until a signal arrives, which raises Stopped."""
        while True:
            self._pause()

    def _pause(self, besides: _Running | None = None) -> None:
        if self._signals or (self.parent and os.getppid() != self.parent):
            raise Stopped
        time.sleep(TICK)
        for running in self._running:
            running.process.rotate_log()
            if running is not besides:
                self._keep_alive(running)

    def _keep_alive(self, running: _Running) -> None:
        now = time.monotonic()
        if running.restart_at is not None:
            if now >= running.restart_at:
                running.process = self._spawn(running.program.name, running.program.command)
                running.restart_at = None
            return
        if running.process.alive():
            return
        if now - running.process.began >= HEALTHY_SECONDS:
            running.crashes = 0
        pause = min(2.0**running.crashes, MAX_RESTART_SECONDS)
        running.crashes += 1
        running.restart_at = now + pause
        say(f"{running.program.name} ended ({running.process.ending()}); it restarts in {pause:.0f} s")
        if running.crashes > 1:
            say(last_lines(running.process.log, running.process.log_begin))
            say(f"    ({running.process.log})")
        self._end(running.process)

    def _stop(self, programs: list[_Running]) -> None:
        """Asks the programs to end, in this order, and kills those that do not end within their timeout."""
        began, asked = time.monotonic(), max(self._signals, 1)
        for running in programs:
            running.process.ask_to_stop()
        for running in programs:
            # A second Ctrl-C stops the waiting.
            while running.process.alive() and self._signals <= asked:
                if time.monotonic() > began + running.program.stop_timeout:
                    break
                time.sleep(TICK / 4)
            if running.process.alive():
                say(f"{running.program.name} did not stop in time and was killed")
            self._end(running.process)

    def _run_to_end(self, name: str, command: list[str], progress: Progress, output: int | None = None) -> Process:
        process = self._spawn(name, command, output)
        try:
            while process.alive():
                progress.show(time.monotonic() - process.began)
                self._pause()
        finally:
            self._end(process)
        if not process.succeeded():
            raise self._failure(process, f"{name} failed ({process.ending()})")
        return process

    def _spawn(self, name: str, command: list[str], output: int | None = None) -> Process:
        log = self.logs / f"{name.lower().replace(' ', '-')}.log"
        process = Process(command, log, self.environment, self.root, output)
        self._guard.add(process.group)
        return process

    def _end(self, process: Process) -> None:
        process.kill()
        self._guard.remove(process.group)

    def _failure(self, process: Process, what: str) -> LaunchError:
        lines = last_lines(process.log, process.log_begin)
        return LaunchError(
            f"{what}. " + (f"The end of {process.log}:\n{lines}" if lines else f"{process.log} is empty.")
        )

    def _count_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
