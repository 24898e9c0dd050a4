"""Writes the locks of `requirements/`, one per role, from the `.in` files so that all of them agree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from deploy.launcher.advisories import PIN
from deploy.launcher.terminal import LaunchError, say
from deploy.launcher.uv import OF_TORCH, pip_settings, uv_path, uv_variables

# The role of the tests comes first and constrains all others, so that a server that is only benchmarked cannot change
# the versions that the product runs with.
ROLES = ("dev", "bench", "training", "quantised", "tracing", "questions", "run", "flower", "worker", "backend", "uv")

# Installed with pip into an environment of the worker role, which has torch already, perhaps a build for the CPU: the
# locks of these roles leave torch and its CUDA packages out.
BESIDE_TORCH = ("training", "quantised")

# Where a part of a release's files may be: their hashes would be all that a lock has.
PARTIAL = ("extra-index-url", "find-links")


def pin(root: Path, python: Path, options: list[str]) -> None:
    """Writes requirements/<role>.txt for every platform, with the hashes of all files of each package; keeps existing
    pins unless `options` (of `uv pip compile`) contain `--upgrade`.

    Raises LaunchError if the requirements contradict each other or no index answers.
    """
    pip = {name: value for name, value in pip_settings(python).items() if name not in PARTIAL}
    for role in ROLES:
        command = [uv_path(python), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        command += ["--generate-hashes", "--annotation-style", "line", "--custom-compile-command", "make pin"]
        command += ["--output-file", f"requirements/{role}.txt"]
        if role != ROLES[0]:
            command += ["--constraints", f"requirements/{ROLES[0]}.txt"]
        if role in BESIDE_TORCH:
            first = (root / "requirements" / f"{ROLES[0]}.txt").read_text()
            command += [word for name in OF_TORCH.findall(first) for word in ("--no-emit-package", name)]
        command += [*options, f"requirements/{role}.in"]
        if subprocess.run(command, cwd=root, env=uv_variables(pip, os.environ)).returncode:
            raise LaunchError(f"requirements/{role}.in could not be pinned; see the output of uv above.")
        lock = (root / "requirements" / f"{role}.txt").read_text()
        say(f"  requirements/{role}.txt: {len(PIN.findall(lock))} packages")
