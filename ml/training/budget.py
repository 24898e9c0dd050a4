"""What a device has to give: its free memory, and a cap under which a training step can be tried."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ml.errors import OutOfMemory
from ml.runtimes.device import guarded

#: The share that a try has to leave free, for what it does not show: on CUDA fragments and the context; on the CPU,
#: where the kernel kills instead of refusing, also what the loader and other programs come to take.
CUDA_HEADROOM = 0.05
CPU_HEADROOM = 0.15
#: What of the machine's available memory a training takes without being given a limit. Other programs come and go, and
#: the kernel kills the largest: a step planned at 17.3 of 22.2 GiB was killed when two models were loaded beside it.
#: More pictures at once are no faster on a CPU.
CPU_SHARE = 0.5

#: Control groups of version 2 and 1, as /proc/self/cgroup tells them apart: the folder of their hierarchy, the files
#: with limit and usage, and the statistic of file pages that nobody used lately.
_CONTROL_GROUPS = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


class Budget(Protocol):
    """`free_bytes` is what this process may hold on the device in all, what it holds already included."""

    free_bytes: int

    def peak(self, call: Callable[[], None]) -> int:
        """Run `call` and return the most bytes held meanwhile. Raises OutOfMemory where it leaves no headroom."""


def create_budget(device: str, memory_limit: int | None = None) -> Budget:
    """The budget of `cpu`, `cuda` or `cuda:N`, at most `memory_limit` bytes."""
    return CudaBudget(device, memory_limit) if device.startswith("cuda") else CpuBudget(memory_limit)


class CudaBudget:
    """The allocator of torch holds the cap. `memory_limit` stays in force after the tries, for the training itself."""

    def __init__(self, device: str, memory_limit: int | None = None) -> None:
        self._device = torch.device(device)
        free, self._total = torch.cuda.mem_get_info(self._device)
        self._limit = min(memory_limit or self._total, self._total)
        self.free_bytes = min(free + torch.cuda.memory_reserved(self._device), self._limit)

    def peak(self, call: Callable[[], None]) -> int:
        self._cap(int(self.free_bytes * (1 - CUDA_HEADROOM)))
        torch.cuda.reset_peak_memory_stats(self._device)
        try:
            guarded(str(self._device), call)
            torch.cuda.synchronize(self._device)
            return int(torch.cuda.max_memory_allocated(self._device))
        finally:
            self._cap(self._limit)

    def _cap(self, limit: int) -> None:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(limit / self._total, self._device)


class CpuBudget:
    """The CPU's allocator refuses nothing and the kernel kills, so the try is watched and ended in time.

    That takes Linux: where there is no /proc, every try counts as fitting.
    """

    def __init__(self, memory_limit: int | None = None) -> None:
        held, available = resident_bytes(), available_bytes()
        self.free_bytes = (
            int(held + CPU_SHARE * available) if memory_limit is None else min(held + available, memory_limit)
        )

    def peak(self, call: Callable[[], None]) -> int:
        gc.collect()
        _return_freed_memory()
        watch = _MemoryWatch(int(self.free_bytes * (1 - CPU_HEADROOM)))
        with watch:
            guarded("cpu", call)
        return watch.peak_bytes


class _MemoryWatch(TorchDispatchMode):
    """Reads the resident memory around every operation, those of backward included.

    Sums over tensors would miss what counts: fragments that the allocator keeps make up half of it in a step with
    checkpointing.
    """

    def __init__(self, cap_bytes: int) -> None:
        super().__init__()
        self.peak_bytes = resident_bytes()
        self._cap = cap_bytes
        self._largest = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = resident_bytes()
        # What an operation takes is known afterwards, too late to refuse it: so there must be room for the largest yet.
        if before + self._largest > self._cap:
            raise OutOfMemory(f"The step needs more than {gibibytes(self._cap)}.")
        result = function(*args, **(kwargs or {}))
        after = resident_bytes()
        self._largest = max(self._largest, after - before)
        self.peak_bytes = max(self.peak_bytes, after)
        return result


def _return_freed_memory() -> None:
    """Have glibc hand back what a failed try freed: it keeps that resident, and the next try would start full."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def gibibytes(size: int) -> str:
    """A size in bytes as people read it: `14.75 GiB`."""
    return f"{size / 2**30:.4g} GiB"


def resident_bytes() -> int:
    """The physical memory of this process; 0 where there is no /proc to ask."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def available_bytes() -> int:
    """The memory that this process may still take without swapping: the system's, or what its control groups leave.

    Where there is no /proc to ask, all physical memory.
    """
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    sizes = dict(line.split(":") for line in meminfo.read_text().splitlines())
    return min([int(sizes["MemAvailable"].split()[0]) * 1024, *control_group_room()])


def control_group_room(
    membership: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """What each limited control group of this process still has room for, in bytes, of version 1 or 2.

    File pages that nobody used lately count as free: the kernel drops them when memory is short.
    """
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in _CONTROL_GROUPS:
            continue
        hierarchy, limit, usage, droppable = _CONTROL_GROUPS[controllers]
        root = mount / hierarchy
        folder = root / path.lstrip("/")
        # A limit binds all groups below it. Inside a container the path may name folders that only the host sees.
        for group in (folder, *folder.parents):
            if not group.is_relative_to(root) or not (group / limit).exists():
                continue
            most = (group / limit).read_text().strip()
            if most != "max":
                statistics = dict(entry.split() for entry in (group / "memory.stat").read_text().splitlines())
                yield max(0, int(most) - int((group / usage).read_text()) + int(statistics[droppable]))
