"""A separate process for each contender, to measure its memory separately."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ml.errors import MLError


class LineFailed(MLError):
    """A line of the benchmark could not be started or measured."""


class Host:
    """Calls `make(*arguments)` in a separate process, and methods of the result there. For one thread at a time."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        self._make, self._arguments = make, arguments
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        """Start the process, if it is not running. Raises LineFailed."""
        if self._process is not None:
            return
        # After a fork, locks of torch's threads would never be released, and CUDA does not work.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._make, self._arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._answer()

    def call(self, method: str, *arguments: object) -> Any:
        """The result of the method, or the value of the attribute. Raises LineFailed."""
        self._connection.send((method, arguments))
        return self._answer()

    @property
    def process_id(self) -> int:
        """The id of the running process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def stop(self) -> None:
        """End the process, killing it after 10 seconds; nothing if it is not running."""
        if self._process is not None:
            self._connection.close()
            self._process.join(10)
            if self._process.is_alive():
                self._process.kill()
            self._process = None

    def _answer(self) -> Any:
        try:
            failed, value = self._connection.recv()
        except EOFError:
            raise LineFailed(f"{self._make.__name__} ended, probably out of memory.") from None
        if failed:
            raise LineFailed(f"{self._make.__name__}: {value}")
        return value


def peak_memory(process_id: int) -> int | None:
    """The peak resident set of a process in bytes, as the kernel reports it (`VmHWM`, proc(5)), or None."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def _serve(connection: Connection, make: Callable[..., object], arguments: tuple[object, ...]) -> None:
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        try:
            made = make(*arguments)
        except Exception as error:
            connection.send((True, repr(error)))
            return
        connection.send((False, None))
        while True:
            method, given = connection.recv()
            try:
                value = getattr(made, method)
                connection.send((False, value(*given) if callable(value) else value))
            except Exception as error:
                connection.send((True, repr(error)))
