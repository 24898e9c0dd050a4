"""Writes the pinned requirement files, one per role, from the `.in` files so that all of them agree."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from deploy.launcher.terminal import LaunchError, say

# The role of the tests comes first and constrains all others, so that a server that is only benchmarked cannot change
# the versions that the product runs with.
ROLES = ("dev", "bench", "training", "quantised", "tracing", "questions", "run", "worker", "backend")

# torch itself requires exact versions of its CUDA packages, and only where they exist. If they were pinned here, pip
# would also look for them on a Mac and for a CPU build of torch.
OF_TORCH = re.compile(r"^(nvidia-|cuda-|triton=)")


def pin(root: Path, python: Path, options: list[str]) -> None:
    """Writes requirements/<role>.txt; keeps existing pins unless `options` (of pip-compile) contain `--upgrade`.

    Raises LaunchError if the requirements contradict each other or no index answers.
    """
    folder = root / "requirements"
    for role in ROLES:
        target = folder / f"{role}.txt"
        command = [str(python), "-m", "piptools", "compile", "--quiet", "--no-config", "--strip-extras"]
        command += [
            "--no-emit-index-url",
            "--no-emit-find-links",
            "--no-emit-trusted-host",
            "--no-emit-options",
        ]
        command += ["--annotation-style=line", "--output-file", f"requirements/{role}.txt"]
        if role != ROLES[0]:
            command += ["--constraint", f"requirements/{ROLES[0]}.txt"]
        command += [*options, f"requirements/{role}.in"]
        environment = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make pin"}
        if subprocess.run(command, cwd=root, env=environment).returncode:
            raise LaunchError(f"requirements/{role}.in could not be pinned; see the output of pip-compile above.")
        pins = [line for line in target.read_text().splitlines() if not OF_TORCH.match(line)]
        target.write_text("\n".join(pins) + "\n")
        say(f"  requirements/{role}.txt: {sum('==' in line for line in pins)} packages")
