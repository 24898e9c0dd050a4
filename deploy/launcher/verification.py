"""`make check` and `make test`: installs the system packages that they need, and runs their steps."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.launcher import advisories
from deploy.launcher.environment import Environment
from deploy.launcher.terminal import LaunchError, say

CHECKS = (
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("djhtml", "--check", "--tabwidth", "2", "frontend/templates"),
    ("lint-imports",),
    ("mypy",),
    ("python", "-m", "deploy.launcher.phrases"),
)

#: Most tests wait for processes, a browser or a CPU core, so more at once than cores would not be faster.
PARALLEL_TESTS = str(min(os.cpu_count() or 1, 4))

#: Without the other packages some tests are skipped, or pictures show boxes in place of Korean letters.
REQUIRED = {"chromium", "postgresql"}

NO_TESTS_COLLECTED = 5  # pytest's exit status; not a failure if options select only some tests


def install_system_packages() -> None:
    """Installs Chromium for the browser tests, PostgreSQL for the database tests, Prometheus for the dashboard tests
    and a Korean font for pictures; in CI also RabbitMQ and iproute2, without which some tests are skipped.

    Installs only as root on a system with apt. Otherwise raises LaunchError that says what to install.
    """
    wanted: list[tuple[str, object]] = [
        ("chromium", any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))),
        ("postgresql", shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))),
        ("prometheus", shutil.which("prometheus") and shutil.which("promtool")),
        ("fonts-noto-cjk", _has_korean_font()),
    ]
    if os.environ.get("CI") == "true":
        wanted += [("rabbitmq-server", Path("/usr/lib/rabbitmq/bin").exists()), ("iproute2", shutil.which("ip"))]
    missing = [name for name, present in wanted if not present]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"  system        installing {', '.join(missing)}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            done = subprocess.run(["apt-get", "-qq", *words], env=quiet, capture_output=True, text=True)
        if done.returncode:
            raise LaunchError(f"apt-get could not install {', '.join(missing)}:\n{done.stderr[-2000:]}")
    elif missing := [name for name in missing if name in REQUIRED]:
        how = "sudo apt install" if shutil.which("apt-get") else "install with your system's package manager:"
        raise LaunchError(f"The tests need programs that are not installed. First: {how} {' '.join(missing)}")


def check(root: Path, environment: Environment) -> None:
    """Runs every check. Raises LaunchError that names those that failed."""
    _raise_failed([(" ".join(words), _step(root, environment, words)) for words in CHECKS])


def test(root: Path, environment: Environment, options: list[str]) -> None:
    """Runs the checks, the audit, all tests on SQLite and the database tests on PostgreSQL; `options` go to pytest.

    Raises LaunchError that names the steps that failed, after all steps have run.
    """
    began = time.monotonic()
    passed = [(" ".join(words), _step(root, environment, words)) for words in CHECKS]
    passed.append(("audit", _audit_passes(root, environment)))
    # The tests of a file share what they start, so they stay in one process.
    pytest = ("python", "-m", "pytest", "--numprocesses", PARALLEL_TESTS, "--dist", "loadfile", *options)
    accepted = (0, NO_TESTS_COLLECTED) if options else (0,)
    passed.append(("pytest", _step(root, environment, pytest, accepted)))
    on_postgresql = _step(root, environment, (*pytest, "-m", "database"), accepted, SCALP_TEST_DATABASE="postgresql")
    passed.append(("pytest on PostgreSQL", on_postgresql))
    say(f"\n{len(passed)} steps took {time.monotonic() - began:.0f} s.")
    _raise_failed(passed)
    say("All passed.")


def audit(root: Path, environment: Environment) -> None:
    """Checks the pins of all roles for known vulnerabilities. Raises LaunchError that names the vulnerable packages."""
    advisories.audit(root, environment.python)


def _audit_passes(root: Path, environment: Environment) -> bool:
    say("\n── audit")
    try:
        audit(root, environment)
    except LaunchError as error:
        say(str(error))
        return False
    return True


def _step(
    root: Path,
    environment: Environment,
    words: tuple[str, ...],
    accepted: tuple[int, ...] = (0,),
    **variables: str,
) -> bool:
    """Runs a program of the environment on this terminal. Returns whether its exit status is accepted."""
    say(f"\n── {' '.join([*(f'{key}={value}' for key, value in variables.items()), *words])}")
    command = [str(environment.folder / "bin" / words[0]), *words[1:]]
    status = subprocess.run(command, cwd=root, env={**os.environ, **variables}).returncode
    if status not in accepted:
        # A program that was killed prints nothing itself.
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        say(f"\n{words[0]} {how}.")
    return status in accepted


def _raise_failed(passed: list[tuple[str, bool]]) -> None:
    if failed := [name for name, accepted in passed if not accepted]:
        raise LaunchError(f"Failed: {', '.join(failed)}.")


def _has_korean_font() -> bool:
    if sys.platform == "darwin":
        return True
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=ko"], capture_output=True).stdout)
