"""Environments that have broken other programs, and how `make run` fares in each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tests.support.environment import ROOT, NotHere, until
from tests.support.make_run import MakeRun

#: A user and a group without a name, a home or any right.
OTHER_USER = 64321
ODD_FOLDER = "c++ #1 머리 100%25 $HOME"
#: Seconds within which a run must be ready: without and with an installation.
PATIENCE, INSTALLATION_PATIENCE = 180, 1500
DEAD_PROXY = "http://127.0.0.1:9"
PROXIES = {
    name: DEAD_PROXY for scheme in ("http", "https", "all") for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
}
NO_IPV6 = 'ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && exec "$@"'


@dataclass(frozen=True)
class Surroundings:
    """An environment: the words before `make`, the variables, and the folder of the repository below a scratch folder.

    `needs` are programs without which it cannot be had; `fresh` installs the virtual environment again, which takes
    minutes and needs a package index. `ours` can be had as any user, so that it is among the tests.
    """

    sentence: str
    before: Sequence[str] = ()
    variables: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    folder: str = "scalp"
    needs: Sequence[str] = ()
    fresh: bool = False
    user: int | None = None
    own_network: bool = False


SURROUNDINGS = {
    "plain": Surroundings("nothing out of the ordinary"),
    "path": Surroundings(f"a folder called `{ODD_FOLDER}`, newly installed", folder=ODD_FOLDER, fresh=True),
    "no-home": Surroundings("`HOME` unset", variables={"HOME": None, "XDG_CACHE_HOME": None, "USER": None}),
    "umask": Surroundings("umask 077", before=("sh", "-c", 'umask 077; exec "$@"', "sh")),
    "locale": Surroundings(
        "C locale, output in Latin-1",
        variables={
            "LC_ALL": "C",
            "LANG": None,
            "PYTHONIOENCODING": "latin-1",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        },
    ),
    "user": Surroundings(
        "an ordinary user without a home, newly installed with the system's Python",
        before=("setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"),
        variables={"HOME": None, "USER": None, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        needs=("setpriv",),
        fresh=True,
        user=OTHER_USER,
    ),
    "no-ipv6": Surroundings(
        "no IPv6, and no network but loopback",
        before=("unshare", "--net", "sh", "-c", NO_IPV6, "sh"),
        needs=("unshare", "nsenter", "ip", "sysctl"),
        own_network=True,
    ),
    "proxies": Surroundings(
        "a proxy for everything that is not there", variables={**PROXIES, "no_proxy": None, "NO_PROXY": None}
    ),
    "pip": Surroundings(
        "options of pip that lead elsewhere, newly installed",
        variables={
            "PIP_USER": "1",
            "PIP_TARGET": "/nowhere",
            "PIP_PREFIX": "/nowhere",
            "PIP_REQUIRE_VIRTUALENV": "1",
            "PIP_NO_DEPS": "1",
            "PIP_QUIET": "3",
            "PYTHONHOME": None,
            "VIRTUAL_ENV": "/nowhere",
        },
        fresh=True,
    ),
    "python-3.13": Surroundings(
        "Python 3.13, installed anew",
        before=("sh", "-c", 'exec "$@" PYTHON="$(command -v python3.13)"', "sh"),
        needs=("python3.13",),
        fresh=True,
    ),
    "sigint": Surroundings("a parent that ignores SIGINT", before=("sh", "-c", "trap '' INT; exec \"$@\"", "sh")),
    "nohup": Surroundings("nohup, without standard input", before=("nohup",), needs=("nohup",)),
}


@dataclass(frozen=True)
class Outcome:
    ready_seconds: float
    status: str
    stop_seconds: float


def run_in(surroundings: Surroundings, scratch: Path, bundle: Path) -> Outcome:
    """`make run` there: until it is ready, a photo is analyzed, and Ctrl-C has ended every process.

    Raises NotHere, or AssertionError or TimeoutError with what went wrong.
    """
    if missing := [program for program in surroundings.needs if not shutil.which(program)]:
        raise NotHere(f"{', '.join(missing)} missing")
    if (surroundings.user is not None or surroundings.own_network) and os.getuid() != 0:
        raise NotHere("needs root")
    root = scratch / surroundings.folder
    copy_repository(root, fresh=surroundings.fresh)
    place = root / "run"
    place.mkdir()
    if surroundings.user is not None:
        give(scratch, surroundings.user)
    run = MakeRun(place, bundle, root=root, before=surroundings.before, variables=surroundings.variables)
    began = time.monotonic()
    run.start()
    try:
        run.until_said("Ctrl-C", INSTALLATION_PATIENCE if surroundings.fresh else PATIENCE)
        ready = time.monotonic()
        status = probe(run, own_network=surroundings.own_network)
        kept = {path.name for path in run.var.iterdir()}
        assert {"db.sqlite3", "photos"} <= kept, f"database and photos are elsewhere; {run.var} has {sorted(kept)}"
        stopping = time.monotonic()
        os.killpg(run.make.pid, signal.SIGINT)
        run.until_said("Stopped after", 60)
        run.make.wait(10)
        until(run.nothing_is_left, 10, "the end of every process")
        stopped = time.monotonic()
    finally:
        for process in run.processes():
            os.kill(process, signal.SIGKILL)
        run.make.wait(10)
    said = run.text()
    assert "Traceback" not in said, said
    return Outcome(ready - began, status, stopped - stopping)


def probe(run: MakeRun, *, own_network: bool) -> str:
    inside = ["nsenter", f"--target={run.launcher()}", "--net"] if own_network else []
    command = [*inside, sys.executable, "-m", "tests.environments.probe", run.service.url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status = done.stdout.strip()
    assert status in {"succeeded", "rejected"}, status
    return status


def copy_repository(root: Path, *, fresh: bool) -> None:
    """The files of this repository as they are now, with its virtual environment unless `fresh`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    if not fresh:
        (root / ".venv").symlink_to((ROOT / ".venv").resolve())


def give(folder: Path, user: int) -> None:
    """Make everything below a folder another user's, and let that user pass to it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
    for parent in folder.parents:
        parent.chmod(parent.stat().st_mode | 0o011)
