"""`make check` and `make test`: what they need from the system, and their steps one after another."""

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
)

#: Most tests wait for processes, for a browser or for one core. A third at once on two cores would only wait longer.
AT_ONCE = str(min(os.cpu_count() or 1, 4))

#: Without the others some tests skip, or their pictures show boxes for letters.
NEEDED = {"chromium", "postgresql"}

NOTHING_COLLECTED = 5  # pytest's exit status; no failure where options choose only some tests


def install_system_packages() -> None:
    """Chromium for the browser tests, a PostgreSQL server for the database tests, Prometheus for the dashboard's,
    Korean letters for the pictures; in CI also RabbitMQ and iproute2, without which some tests skip.

    Installs what is missing where that needs no asking (root on a system with apt). Raises LaunchError that
    says what to install elsewhere.
    """
    wanted: list[tuple[str, object]] = [
        ("chromium", any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))),
        ("postgresql", shutil.which("postgres") or any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))),
        ("prometheus", shutil.which("prometheus") and shutil.which("promtool")),
        ("fonts-noto-cjk", _has_korean_letters()),
    ]
    if os.environ.get("CI") == "true":
        wanted += [("rabbitmq-server", Path("/usr/lib/rabbitmq/bin").exists()), ("iproute2", shutil.which("ip"))]
    missing = [name for name, there in wanted if not there]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"  system        installing {', '.join(missing)}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            done = subprocess.run(["apt-get", "-qq", *words], env=quiet, capture_output=True, text=True)
        if done.returncode:
            raise LaunchError(f"apt-get could not install {', '.join(missing)}:\n{done.stderr[-2000:]}")
    elif missing := [name for name in missing if name in NEEDED]:
        how = "sudo apt install" if shutil.which("apt-get") else "install with your system's package manager:"
        raise LaunchError(f"The tests need programs that are not here. First: {how} {' '.join(missing)}")


def check(root: Path, environment: Environment) -> None:
    """Runs every check and raises LaunchError that names those that failed."""
    _raise_failed([(" ".join(words), _step(root, environment, words)) for words in CHECKS])


def test(root: Path, environment: Environment, options: list[str]) -> None:
    """Runs the checks, an audit, every test on SQLite, the database tests on PostgreSQL; `options` go to pytest.

    Raises LaunchError that names the steps that failed, after all of them ran.
    """
    began = time.monotonic()
    passed = [(" ".join(words), _step(root, environment, words)) for words in CHECKS]
    passed.append(("audit", _audited(root, environment)))
    # The tests of a file stay together, as what they start is shared among them.
    pytest = ("python", "-m", "pytest", "--numprocesses", AT_ONCE, "--dist", "loadfile", *options)
    fine = (0, NOTHING_COLLECTED) if options else (0,)
    passed.append(("pytest", _step(root, environment, pytest, fine)))
    on_postgresql = _step(root, environment, (*pytest, "-m", "database"), fine, SCALP_TEST_DATABASE="postgresql")
    passed.append(("pytest on PostgreSQL", on_postgresql))
    say(f"\n{len(passed)} steps took {time.monotonic() - began:.0f} s.")
    _raise_failed(passed)
    say("All passed.")


def audit(root: Path, environment: Environment) -> None:
    """Holds the pins of all roles against known vulnerabilities. Raises LaunchError that names what is vulnerable."""
    advisories.audit(root, environment.python)


def _audited(root: Path, environment: Environment) -> bool:
    """Whether no pinned package is known to be vulnerable, as far as anybody can be asked."""
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
    fine: tuple[int, ...] = (0,),
    **variables: str,
) -> bool:
    """Runs a program of the environment with its output on the terminal; whether its exit status is a fine one."""
    say(f"\n── {' '.join([*(f'{key}={value}' for key, value in variables.items()), *words])}")
    command = [str(environment.folder / "bin" / words[0]), *words[1:]]
    status = subprocess.run(command, cwd=root, env={**os.environ, **variables}).returncode
    if status not in fine:
        # A program that was killed, or left without a word, says nothing itself.
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        say(f"\n{words[0]} {how}.")
    return status in fine


def _raise_failed(passed: list[tuple[str, bool]]) -> None:
    if failed := [name for name, fine in passed if not fine]:
        raise LaunchError(f"Failed: {', '.join(failed)}.")


def _has_korean_letters() -> bool:
    if sys.platform == "darwin":
        return True
    if not shutil.which("fc-list"):
        return False
    return bool(subprocess.run(["fc-list", ":lang=ko"], capture_output=True).stdout)
