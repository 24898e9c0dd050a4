"""Hosts of their own on this machine: each a network namespace with an address and a cable to their switch."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.launcher.broker_server import broker_password
from deploy.launcher.settings import LOOPBACK
from tests.support.bucket import ACCESS_KEY, SECRET_KEY, BucketServer
from tests.support.environment import SCRATCH, NotHere, PostgreSQL, until
from tests.support.stack import Stack


class Network:
    """A switch at which this machine has the first address, and hosts by name that have the next ones.

    Raises NotHere.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise NotHere("Network namespaces need root, and `ip` of the package iproute2.")
        self.switch = f"scalp{secrets.token_hex(3)}"
        # RFC 2544 keeps these addresses for trials of networks, so no host has them.
        subnet = f"198.18.{secrets.randbelow(256)}"
        self.address = f"{subnet}.1"
        self._spaces = {name: f"{self.switch}-{name}" for name in names}
        self._cables = {name: f"{self.switch}n{number}" for number, name in enumerate(names)}
        try:
            _ip("link", "add", self.switch, "type", "bridge")
            _ip("address", "add", f"{self.address}/24", "dev", self.switch)
            _ip("link", "set", self.switch, "up")
            for number, (name, space) in enumerate(self._spaces.items(), 2):
                _ip("netns", "add", space)
                _ip("link", "add", self._cables[name], "type", "veth", "peer", "name", "eth0", "netns", space)
                _ip("link", "set", self._cables[name], "master", self.switch, "up")
                _ip("-n", space, "address", "add", f"{subnet}.{number}/24", "dev", "eth0")
                for device in ("lo", "eth0"):
                    _ip("-n", space, "link", "set", device, "up")
        except subprocess.CalledProcessError as error:
            self.remove()
            raise NotHere(f"Network namespaces can't be made here: {error.stderr.strip()}") from error

    def inside(self, name: str) -> list[str]:
        """What stands before a command that shall run on this host. It becomes the command: no process is between."""
        return ["ip", "netns", "exec", self._spaces[name]]

    def pull_cable(self, name: str) -> None:
        """Drop all packets to and from this host, without telling either side."""
        _ip("link", "set", self._cables[name], "down")

    def plug_in(self, name: str) -> None:
        _ip("link", "set", self._cables[name], "up")

    def remove(self) -> None:
        """Cables go with the namespace that they end in."""
        made = [("netns", "delete", space) for space in self._spaces.values()]
        for words in (*made, ("link", "delete", self.switch)):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*words)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class AcrossHosts(Stack):
    """Model workers on hosts of their own, and on this one web, upkeep, broker, PostgreSQL and a bucket.

    All that they share is reached by URL: a worker has a folder of its own for the rest.
    """

    def __init__(self, folder: Path, bundle: Path, network: Network) -> None:
        self.network = network
        self.models = [f"model-{name}" for name in network.names]
        here = network.address
        self.postgresql = PostgreSQL(SCRATCH / "hosts-postgresql", SCRATCH / "hosts-postgresql.log", here)
        self.bucket = BucketServer(folder, here)
        #: Without a password it would answer loopback alone.
        self.password = folder / "broker.conf"
        super().__init__(
            folder,
            bundle,
            SCALP_HOST=here,
            SCALP_ALLOWED_HOSTS=here,
            SCALP_STORAGE_URL=self.bucket.url,
            SCALP_STORAGE_ACCESS_KEY=ACCESS_KEY,
            SCALP_STORAGE_SECRET_KEY=SECRET_KEY,
        )
        self.url = f"http://{here}:{self.port}"
        self.environment |= {
            "SCALP_BROKER_URL": f"redis://:{broker_password(self.password)}@{here}:{self.broker_port}/0",
            "SCALP_DATABASE_URL": self.postgresql.create_database("hosts"),
        }
        self.besides = {part: {"SCALP_VAR": str(folder / f"var-{part}")} for part in self.models}

    def command(self, part: str) -> list[str]:
        command = super().command(part)
        if part == "broker":
            command[1:1] = [str(self.password)]
            return [self.network.address if word == LOOPBACK else word for word in command]
        return [*self.network.inside(host_of(part)), *command] if part in self.models else command

    def down(self) -> None:
        super().down()
        self.bucket.stop()
        self.postgresql.stop()

    def held(self, part: str) -> dict[str, int]:
        """The photos that this worker has in hand, by the rows, and their attempts."""
        running = f"status = 'running' AND worker = '{self.node(part)}'"
        rows = self.query(f"SELECT id, attempt FROM analyses_analysis WHERE {running}")
        return {str(analysis_id): attempt for analysis_id, attempt in rows}

    def cut_off(self, part: str, photos: int) -> dict[str, int]:
        """Pull the cable of a worker's host once it has claimed `photos`; returns their ids and attempts."""
        until(lambda: len(self.held(part)) >= photos, 30, f"{photos} photos in the hands of {part}")
        self.kill(part, signal.SIGSTOP)  # It must not have done them before the cable is out.
        time.sleep(0.1)  # Its threads stop one by one.
        self.network.pull_cable(host_of(part))
        held = self.held(part)
        self.kill(part, signal.SIGCONT)
        return held


def host_of(part: str) -> str:
    return part.partition("-")[2]
