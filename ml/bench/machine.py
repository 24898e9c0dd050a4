"""The conditions of a benchmark: the machine, its load, and versions."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from ml.bundle import Bundle
from ml.runtimes.device import choose_device

#: Flags of /proc/cpuinfo for what a CPU multiplies natively.
_NATIVE = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx512_vnni": "VNNI int8",
    "avx512_bf16": "AVX-512 bfloat16",
    "avx512_fp16": "AVX-512 float16",
    "amx_bf16": "AMX bfloat16",
    "amx_int8": "AMX int8",
    "asimdhp": "NEON float16",
    "bf16": "NEON bfloat16",
}


def describe_machine(device: str, bundle: Bundle, packages: Iterable[str] = ()) -> dict[str, Any]:
    """The conditions of a benchmark, ready for JSON."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": _device(choose_device(device)),
        "cpu": processor(),
        "cores": _cores(),
        "native": _native(),
        "memory_gib": _memory(),
        "load_before": round(os.getloadavg()[0], 2),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {
            name: _version(name) for name in ("torch", "openvino", "efficientnet-pytorch", "pillow", *packages)
        },
        "bundle": bundle.reference,
        "networks": sorted({f"{model.architecture} at {model.image_size} px" for model in bundle.manifest.models}),
    }


def heading(machine: dict[str, Any]) -> str:
    """The same as a heading for the table."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    return "\n".join(
        (
            f"{machine['date']}  {machine['device']}: {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['memory_gib']} GiB, native {', '.join(machine['native']) or 'unknown'}",
            f"{versions}, Python {machine['python']}",
            f"seven {', '.join(machine['networks'])}, bundle {machine['bundle']}; {machine['threads']} threads; "
            f"load before the start {machine['load_before']}",
        )
    )


def _device(device: str) -> str:
    return device if device == "cpu" else f"{device} {torch.cuda.get_device_name(device)}"


def _cpuinfo() -> dict[str, str]:
    with contextlib.suppress(OSError):
        pairs = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
        return {name.strip(): value.strip() for name, _, value in pairs if value}
    return {}


def processor() -> str:
    """The name of the CPU."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def _native() -> list[str]:
    info = _cpuinfo()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    return [name for flag, name in _NATIVE.items() if flag in flags]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
