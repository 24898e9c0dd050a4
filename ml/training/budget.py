"""The free memory of a device, and a cap under which a training step can be tried."""

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
from ml.runtimes.device import call_guarded

#: The share that a trial must leave free for memory that it does not show: on CUDA fragments and the context; on the
#: CPU, where the kernel kills processes instead of refusing, also the picture loader and other programs.
CUDA_HEADROOM = 0.05
CPU_HEADROOM = 0.15
#: The share of the machine's available memory that a training may use by default. Other programs come and go, and the
#: kernel kills the largest: a step planned at 17.3 of 22.2 GiB was killed when two models were loaded at the same time.
#: Larger micro-batches are not faster on a CPU.
CPU_SHARE = 0.5

#: Control groups of version 2 and 1, by their controllers in /proc/self/cgroup: the folder of their hierarchy, the
#: files with limit and usage, and the statistic of file pages that were not used recently.
_CONTROL_GROUPS = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


class Budget(Protocol):
    """`free_bytes` is the total that this process may use on the device, including what it already uses."""

    free_bytes: int

    def peak(self, call: Callable[[], None]) -> int:
        """Run `call` and return the peak memory in bytes. Raises OutOfMemory if it leaves too little headroom."""


def create_budget(device: str, memory_limit: int | None = None) -> Budget:
    """The budget of `cpu`, `cuda` or `cuda:N`, at most `memory_limit` bytes."""
    return CudaBudget(device, memory_limit) if device.startswith("cuda") else CpuBudget(memory_limit)


class CudaBudget:
    """torch's allocator enforces the cap. `memory_limit` stays in force after the trials, for the training itself."""

    def __init__(self, device: str, memory_limit: int | None = None) -> None:
        self._device = torch.device(device)
        free, self._total = torch.cuda.mem_get_info(self._device)
        self._limit = min(memory_limit or self._total, self._total)
        self.free_bytes = min(free + torch.cuda.memory_reserved(self._device), self._limit)

    def peak(self, call: Callable[[], None]) -> int:
        """Peak bytes of the call on the device. Raises OutOfMemory if it needs more than is free."""
        self._cap(int(self.free_bytes * (1 - CUDA_HEADROOM)))
        torch.cuda.reset_peak_memory_stats(self._device)
        try:
            call_guarded(str(self._device), call)
            torch.cuda.synchronize(self._device)
            return int(torch.cuda.max_memory_allocated(self._device))
        finally:
            self._cap(self._limit)

    def _cap(self, limit: int) -> None:
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(limit / self._total, self._device)


class CpuBudget:
    """The CPU's allocator never refuses and the kernel kills, so the trial is watched and ended in time.

    That needs Linux: without /proc, every trial counts as fitting.
    """

    def __init__(self, memory_limit: int | None = None) -> None:
        held, available = resident_bytes(), available_bytes()
        self.free_bytes = (
            int(held + CPU_SHARE * available) if memory_limit is None else min(held + available, memory_limit)
        )

    def peak(self, call: Callable[[], None]) -> int:
        """Peak resident bytes of the process during the call. Raises OutOfMemory if it needs more than is free."""
        gc.collect()
        _return_freed_memory()
        watch = _MemoryWatch(int(self.free_bytes * (1 - CPU_HEADROOM)))
        with watch:
            call_guarded("cpu", call)
        return watch.peak_bytes


class _MemoryWatch(TorchDispatchMode):
    """Reads the resident memory around every operation, including those of backward.

    The sum over tensors would be too low: in a step with checkpointing half of the memory are fragments that the
    allocator keeps.
    """

    def __init__(self, cap_bytes: int) -> None:
        super().__init__()
        self.peak_bytes = resident_bytes()
        self._cap = cap_bytes
        self._largest = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = resident_bytes()
        # How much an operation takes is only known afterwards, so there must be room for another one like the largest.
        if before + self._largest > self._cap:
            raise OutOfMemory(f"The step needs more than {gibibytes(self._cap)}.")
        result = function(*args, **(kwargs or {}))
        after = resident_bytes()
        self._largest = max(self._largest, after - before)
        self.peak_bytes = max(self.peak_bytes, after)
        return result


def _return_freed_memory() -> None:
    """Make glibc return the memory that a failed trial freed, so that it does not count in the next one."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def gibibytes(size: int) -> str:
    """A size in bytes for people: `14.75 GiB`."""
    return f"{size / 2**30:.4g} GiB"


def resident_bytes() -> int:
    """The physical memory of this process; 0 without /proc."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def available_bytes() -> int:
    """The memory that this process can still allocate without swapping, in the system and in its control groups.

    Without /proc, all physical memory.
    """
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    sizes = dict(line.split(":") for line in meminfo.read_text().splitlines())
    return min([int(sizes["MemAvailable"].split()[0]) * 1024, *control_group_headroom()])


def control_group_headroom(
    membership: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")
) -> Iterator[int]:
    """The free bytes of each limited control group of this process, version 1 or 2.

    File pages that were not used recently count as free: the kernel drops them when memory is short.
    """
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in _CONTROL_GROUPS:
            continue
        hierarchy, limit, usage, droppable = _CONTROL_GROUPS[controllers]
        root = mount / hierarchy
        folder = root / path.lstrip("/")
        # A limit applies to all groups below it. In a container the path may name folders that only exist on the host.
        for group in (folder, *folder.parents):
            if not group.is_relative_to(root) or not (group / limit).exists():
                continue
            maximum = (group / limit).read_text().strip()
            if maximum != "max":
                statistics = dict(entry.split() for entry in (group / "memory.stat").read_text().splitlines())
                yield max(0, int(maximum) - int((group / usage).read_text()) + int(statistics[droppable]))
