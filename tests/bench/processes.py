"""Servers as processes of their own, with everything that they start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from deploy.launcher.process import dies_with
from ml.bench.host import peak_memory


def spawn(module: str, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """`python -m module` in a group of its own; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dies_with(os.getpid()),
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its whole group."""
    if process.poll() is None:
        thaw(process)
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def freeze(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole group, so that a server that polls its queues does not disturb the one that is measured."""
    os.killpg(process.pid, signal.SIGSTOP)


def thaw(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGCONT)


def largest_peak(root: int) -> int | None:
    """The largest peak memory in a tree of processes: that of the one which holds the models."""
    peaks = [peak for process in _tree(root) if (peak := peak_memory(process)) is not None]
    return max(peaks, default=None)


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children[int(fields[1])].append(int(status.parent.name))
    tree = [root]
    for process in tree:
        tree += children[process]
    return tree
