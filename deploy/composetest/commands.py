"""Runs other programs, and installs missing ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence


class StepError(Exception):
    """A step of the test failed; the text says which and how."""


def output(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """The standard output of `command`. Raises StepError with all of its output if the exit status is not 0."""
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    if ran.returncode:
        raise StepError(f"{' '.join(command)} exited {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-4000:]}")
    return ran.stdout


def succeeds(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> bool:
    try:
        return subprocess.run(command, capture_output=True, env=environment).returncode == 0
    except FileNotFoundError:
        return False


def install(programs: Mapping[str, str]) -> None:
    """Installs the Debian package of each program (program → package) that is not on the PATH."""
    missing = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise StepError(f"Please install {', '.join(missing)}, or run this as root on Debian.")
    print(f"Installing {', '.join(missing)} …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    output(["apt-get", "update"], environment=quiet)
    output(["apt-get", "install", "-y", "--no-install-recommends", *missing], environment=quiet)
