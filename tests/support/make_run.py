"""`make run` as a person starts it, as a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deploy.launcher.broker_server import broker_password, broker_url
from deploy.launcher.settings import free_port
from tests.support.environment import ROOT, until
from tests.support.stack import Stack


class MakeRun:
    """One `make run` in a session of its own, as a terminal gives it one.

    `root` is the repository that it runs from, `before` the words before `make`, and `variables` what its environment
    has besides (None: without that variable). Everything that it writes goes below `folder`.
    """

    def __init__(
        self,
        folder: Path,
        bundle: Path,
        *,
        root: Path = ROOT,
        before: Sequence[str] = (),
        variables: Mapping[str, str | None] = MappingProxyType({}),
    ) -> None:
        self.root = root
        self.command = [*before, "make", "run"]
        self.service = Stack(folder, bundle)
        self.var = folder / "var"
        self.said = folder / "said"
        self.flower_port = free_port()
        given = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SCALP_")},
            "SCALP_VAR": str(self.var),
            "SCALP_BUNDLE": str(bundle),
            "SCALP_PORT": str(self.service.port),
            "SCALP_FLOWER_PORT": str(self.flower_port),
            **variables,
        }
        self.environment = {name: value for name, value in given.items() if value is not None}

    def start(self) -> None:
        with self.said.open("w") as said:
            self.make = subprocess.Popen(
                self.command, cwd=self.root, env=self.environment, stdout=said, stderr=said, start_new_session=True
            )

    def until_said(self, words: str, seconds: float) -> None:
        until(lambda: words in self.text() or self.make.poll() is not None, seconds, f"{words!r}")
        assert words in self.text(), self.text()

    def text(self) -> str:
        """What it has printed so far."""
        return self.said.read_text(errors="replace")

    def broker(self) -> str:
        run = self.var / "run"
        return broker_url(int((run / "broker-port").read_text()), broker_password(run / "broker.conf"))

    def launcher(self) -> int:
        return int((self.var / "run" / "launcher.lock").read_text().split()[0])

    def processes(self, word: str = "") -> list[int]:
        """Everything that was started with this run's folder in its environment, make and the guard included."""
        mark = f"SCALP_VAR={self.var}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found += [int(folder.name)] if word in command else []
            except OSError:  # it ended meanwhile, or is a zombie
                continue
        return found

    def leader(self, word: str) -> int:
        """The process that the launcher started for a part, as told by a word of its command."""
        leaders = [process for process in self.processes(word) if os.getpgid(process) == process]
        assert len(leaders) == 1, leaders
        return leaders[0]

    def nothing_is_left(self) -> bool:
        return not self.processes()
