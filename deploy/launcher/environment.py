"""The virtual environment `.venv`: created, filled from a pinned file, and kept while that file stays the same.

This runs on a bare Python before anything is installed, so it uses only the standard library. Its syntax is old enough
that a Python too old for the product can still parse it and print which version is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.launcher.interpreter import OLDEST, suitable_python, version
from deploy.launcher.terminal import LaunchError, say
from deploy.launcher.uv import install

# The CUDA build of torch takes 6 GB in .venv, whose files are links to those in uv's cache.
GIGABYTES_CUDA = 8
GIGABYTES_CPU = 4
GIGABYTES_REST = 1

# A role can include others: the packages for tests contain those for running.
INCLUDES = {"run": ("run",), "dev": ("dev", "run"), "bench": ("bench", "dev", "run")}


class Environment:
    """One `.venv` below the folder `root`, filled from `root/requirements/<role>.txt`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"

    def prepare(self, role: str) -> None:
        """Installs what `role` (a key of `INCLUDES`) needs; returns at once if it is already installed.

        Raises LaunchError with an explanation if the Python, the disk or the network does not allow it.
        """
        lock = self.root / "var" / "environment.lock"
        lock.parent.mkdir(exist_ok=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            works = self._works()
            if works and self._holds(role):
                return
            self._check_disk()
            if not works:
                self._create()
            self._install(role)

    def _works(self) -> bool:
        """Whether `.venv` has a working Python and no half-finished installation."""
        if self._unfinished.exists():
            say("  environment   the last installation was interrupted, so .venv is created again")
            return False
        try:
            return self.python.exists() and version(str(self.python)) >= OLDEST
        except PermissionError:
            raise LaunchError(
                f"{self.folder} belongs to another user. Run as that user, or use a copy of this folder of your own."
            ) from None

    def _create(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        python = suitable_python()
        say(f"  environment   creating .venv with {python}")
        self.folder.mkdir()
        self._unfinished.touch()
        made = subprocess.run([python, "-m", "venv", str(self.folder)], capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise LaunchError(f"{python} could not create a virtual environment:\n{made.stdout}{made.stderr}")
        self._unfinished.unlink()

    def _holds(self, role: str) -> bool:
        stamp = self._stamp(role)
        return stamp.exists() and stamp.read_text() == self._hash(role)

    def _install(self, role: str) -> None:
        began = time.monotonic()
        self._announce()
        for stamp in self.folder.glob("holds-*"):
            stamp.unlink()
        install(self.python, self.root / "requirements" / f"{role}.txt", self._unfinished)
        for included in INCLUDES[role]:
            self._stamp(included).write_text(self._hash(included))
        say(f"  environment   ready after {time.monotonic() - began:.0f} s")

    def _announce(self) -> None:
        if self._has_torch():
            say("  environment   updating .venv")
            return
        say("  environment   installing into .venv; torch takes gigabytes and several minutes")
        if sys.platform == "linux" and not Path("/proc/driver/nvidia").exists() and not _torch_index():
            say("                no NVIDIA GPU found; the build without CUDA is much smaller:")
            say("                SCALP_TORCH_INDEX=https://download.pytorch.org/whl/cpu")

    def _check_disk(self) -> None:
        need = GIGABYTES_REST
        if not self._has_torch():
            need = GIGABYTES_CPU if _torch_index() or sys.platform == "darwin" else GIGABYTES_CUDA
        free = shutil.disk_usage(self.root).free / 1e9
        if free < need:
            raise LaunchError(
                f"The installation needs about {need} GB of free disk space, and {self.root} has {free:.1f} GB."
                " Free some space and start again."
            )

    def _has_torch(self) -> bool:
        return any(self.folder.glob("lib/python*/site-packages/torch"))

    def _stamp(self, role: str) -> Path:
        return self.folder / f"holds-{role}"

    def _hash(self, role: str) -> str:
        return hashlib.sha256((self.root / "requirements" / f"{role}.txt").read_bytes()).hexdigest()

    @property
    def _unfinished(self) -> Path:
        return self.folder / "unfinished"


def _torch_index() -> str:
    return os.environ.get("SCALP_TORCH_INDEX", "")
