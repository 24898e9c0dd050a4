"""Finds a Python for which there are packages, and which can create virtual environments."""

from __future__ import annotations

import subprocess
import sys

from deploy.launcher.terminal import LaunchError

OLDEST = (3, 11)
#: For newer ones torch and numpy have no wheels yet, and pip would try to compile them.
NEWEST = (3, 14)
CANDIDATES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")


def suitable_python() -> str:
    """The first suitable Python: this one, else one on the PATH.

    Raises LaunchError that says what to install if none is found.
    """
    for candidate in (sys.executable, *CANDIDATES):
        if OLDEST <= version(candidate) <= NEWEST and _makes_environments(candidate):
            return candidate
    new_enough = [name for name in (sys.executable, *CANDIDATES) if OLDEST <= version(name) <= NEWEST]
    if new_enough:
        major, minor = version(new_enough[0])
        raise LaunchError(
            f"{new_enough[0]} lacks the modules that create virtual environments. On Debian and Ubuntu, install them"
            f" with: apt install python{major}.{minor}-venv"
        )
    raise LaunchError(
        f"ScalpSpectra needs Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, but found"
        f" {sys.version.split()[0]}. Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install"
        " python) or pass its path: make run PYTHON=/path/to/python3"
    )


def version(python: str) -> tuple:
    """Its (major, minor); (0, 0) if it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60)
        return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else (0, 0)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return (0, 0)


def _makes_environments(python: str) -> bool:
    return subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0
