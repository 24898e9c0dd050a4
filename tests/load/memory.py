"""Resident memory of every process of a stack during an activity."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.service_load import children
from tests.support.stack import Stack

MIB = 2**20
#: A process may grow by this part, or by so much where that is more: allocators keep what a busy moment needed.
GROWTH_SHARE, GROWTH_BYTES = 0.10, 12 * MIB


def resident(process_id: int) -> int:
    """The resident set of a process in bytes (`VmRSS`, proc(5)). Raises OSError where there is none."""
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(process_id)


class MemoryWatch(threading.Thread):
    """Looks every `step` seconds until stopped; `looks` are seconds since the start and bytes by process.

    A process is called by its part of the stack, one that it started (gunicorn's workers) by a number as well.
    """

    def __init__(self, stack: Stack, step: float) -> None:
        super().__init__(name="memory", daemon=True)
        self.looks: list[tuple[float, dict[str, int]]] = []
        self._stack, self._step = stack, step
        self._stop_asked = threading.Event()
        self._begun = time.monotonic()

    def run(self) -> None:
        while True:
            found = {}
            for part, process in list(self._stack.processes.items()):
                with suppress(OSError):
                    found[part] = resident(process.pid)
                    for number, child in enumerate(children(process.pid), 1):
                        found[f"{part} {number}"] = resident(child)
            self.looks.append((time.monotonic() - self._begun, found))
            if self._stop_asked.wait(self._step):
                return

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def grown(looks: list[tuple[float, dict[str, int]]], warm: float) -> dict[str, tuple[int, int]]:
    """The processes that grew past the bounds once they were warm: median bytes of an early and of the last quarter.

    `warm` is in seconds; what came before does not count. A process that was not there all the time is not judged.
    """
    counted = [found for seconds, found in looks if seconds >= warm]
    quarter = max(1, len(counted) // 4)
    first, last = counted[:quarter], counted[-quarter:]
    grew = {}
    for name in counted[0]:
        if not all(name in found for found in counted):
            continue
        before = int(statistics.median(found[name] for found in first))
        after = int(statistics.median(found[name] for found in last))
        if after - before > max(GROWTH_SHARE * before, GROWTH_BYTES):
            grew[name] = (before, after)
    return grew
