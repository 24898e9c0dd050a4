"""The folder, addresses and broker of one run, read from environment variables (prefix `SCALP_`)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.passwords import kept_password
from deploy.launcher.terminal import LaunchError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - how to reach a server that listens on all addresses
LOOPBACK = "127.0.0.1"
FLOWER_USER = "flower"


@dataclass(frozen=True)
class Settings:
    """What the user may choose; `read` rejects invalid values."""

    root: Path
    var: Path
    host: str
    port: int
    flower_port: int
    concurrency: int
    broker_url: str  # empty: start our own broker
    devices: tuple[str, ...]  # one model worker per device
    metrics_port: int  # of the first worker; 0: no worker serves metrics

    @classmethod
    def read(cls, root: Path, environ: Mapping[str, str]) -> Settings:
        """From `SCALP_VAR`, `SCALP_HOST`, `SCALP_PORT`, `SCALP_FLOWER_PORT`, `SCALP_CONCURRENCY`,
        `SCALP_BROKER_URL`, `SCALP_DEVICE`, `SCALP_METRICS_PORT`.

        Raises LaunchError that names the variable and its valid values.
        """

        def whole(name: str, default: int, most: int, least: int = 1) -> int:
            raw = environ.get(name, "") or str(default)
            if not raw.isdecimal() or not least <= int(raw) <= most:
                raise LaunchError(f"{name} is {raw!r} but must be a whole number from {least} to {most}.")
            return int(raw)

        settings = cls(
            root=root,
            var=Path(environ.get("SCALP_VAR") or root / "var").expanduser().absolute(),
            host=environ.get("SCALP_HOST") or LOOPBACK,
            port=whole("SCALP_PORT", 8000, 65535),
            flower_port=whole("SCALP_FLOWER_PORT", 5555, 65535),
            concurrency=whole("SCALP_CONCURRENCY", 64, 4096),
            broker_url=environ.get("SCALP_BROKER_URL", ""),
            devices=tuple(map(str.strip, (environ.get("SCALP_DEVICE") or "auto").split(","))),
            metrics_port=whole("SCALP_METRICS_PORT", 0, 65500, least=0),
        )
        if settings.port == settings.flower_port:
            raise LaunchError(f"SCALP_PORT and SCALP_FLOWER_PORT are both {settings.port}: choose two ports.")
        return settings

    @property
    def metrics_ports(self) -> tuple[int, ...]:
        """Consecutive ports for the model workers and the upkeep worker; empty if `metrics_port` is 0."""
        first = self.metrics_port
        return tuple(range(first, first + len(self.devices) + 1)) if first else ()

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def state(self) -> Path:
        """Small files of this run: the lock, the broker's port and password, the state of the schedule."""
        return self.var / "run"

    @property
    def broker_password(self) -> Path:
        """The file with the password of our own broker."""
        return self.state / "broker.conf"

    @property
    def flower_login(self) -> tuple[str, str]:
        """Name and password for Flower. The password stays the same from run to run."""
        return FLOWER_USER, kept_password(self.state / "flower-password")

    @property
    def url(self) -> str:
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def flower_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flower_port}"

    def check_ports(self) -> None:
        """Raises LaunchError if one of the ports is not available."""
        for variable, host, port in (
            ("SCALP_PORT", self.host, self.port),
            ("SCALP_FLOWER_PORT", LOOPBACK, self.flower_port),
            *(("SCALP_METRICS_PORT", LOOPBACK, port) for port in self.metrics_ports),
        ):
            try:
                listen(host, port).close()
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise LaunchError(
                        f"Port {port} is taken. Choose another: {variable}={free_port()} make run"
                    ) from None
                if error.errno == errno.EACCES:
                    raise LaunchError(f"Port {port} needs root. Choose one above 1023 with {variable}.") from None
                raise LaunchError(f"SCALP_HOST is {host!r}, which cannot be listened on: {error.strerror}.") from None

    def environment(self, broker_url: str, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment variables of every program."""
        allowed = environ.get("SCALP_ALLOWED_HOSTS") or "localhost,127.0.0.1,[::1]"
        return {
            "SCALP_CACHE": str(self.var / "cache"),
            **environ,
            "PYTHONPATH": str(self.root),
            # Logs are UTF-8, whatever the terminal is.
            "PYTHONUTF8": "1",
            "PYTHONIOENCODING": "utf-8",
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "SCALP_VAR": str(self.var),
            "SCALP_HOST": self.host,
            "SCALP_PORT": str(self.port),
            "SCALP_FLOWER_PORT": str(self.flower_port),
            "SCALP_FLOWER_URL": f"{self.flower_url}/",
            # Not an option: every user of a machine can read commands.
            "FLOWER_BASIC_AUTH": ":".join(self.flower_login),
            "SCALP_CONCURRENCY": str(self.concurrency),
            "SCALP_BROKER_URL": broker_url,
            # The launcher checks the health of the web server at this address, whatever else is allowed.
            "SCALP_ALLOWED_HOSTS": f"{allowed},{self.url.removeprefix('http://').rsplit(':', 1)[0]}",
        }


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on this address. Raises OSError if that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A server that has just stopped leaves its port in TIME_WAIT; the port can be used all the same.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def free_port() -> int:
    """A port on loopback that is free right now."""
    with listen(LOOPBACK, 0) as listener:
        return int(listener.getsockname()[1])
