"""Where one run lives: its folder, addresses and broker, read from the environment (prefix `SCALP_`)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.launcher.terminal import LaunchError

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask what listens everywhere
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """What the person at the terminal may choose; `read` refuses nonsense with a sentence."""

    root: Path
    var: Path
    host: str
    port: int
    flower_port: int
    concurrency: int
    broker_url: str  # empty: a broker of our own
    devices: tuple[str, ...]  # a model worker for each
    metrics_port: int  # of the first worker; 0: none answers Prometheus

    @classmethod
    def read(cls, root: Path, environ: Mapping[str, str]) -> Settings:
        """From `SCALP_VAR`, `SCALP_HOST`, `SCALP_PORT`, `SCALP_FLOWER_PORT`, `SCALP_CONCURRENCY`,
        `SCALP_BROKER_URL`, `SCALP_DEVICE`, `SCALP_METRICS_PORT`.

        Raises LaunchError that names the variable and what it wants.
        """

        def whole(name: str, default: int, most: int, least: int = 1) -> int:
            raw = environ.get(name, "") or str(default)
            if not raw.isdecimal() or not least <= int(raw) <= most:
                raise LaunchError(f"{name} is {raw!r}: a whole number from {least} to {most} is wanted.")
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
        """A port for each model worker and one for the upkeep worker, in a row; none where none was asked for."""
        first = self.metrics_port
        return tuple(range(first, first + len(self.devices) + 1)) if first else ()

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def state(self) -> Path:
        """Small files that describe this run: lock, the broker's port and password, the schedule's last times."""
        return self.var / "run"

    @property
    def broker_password(self) -> Path:
        """The file with the password of the broker of our own."""
        return self.state / "broker.conf"

    @property
    def url(self) -> str:
        host = EVERYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def flower_url(self) -> str:
        return f"http://{LOOPBACK}:{self.flower_port}"

    def check_ports(self) -> None:
        """Raises LaunchError where one of the two ports cannot be listened on."""
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
                raise LaunchError(f"SCALP_HOST is {host!r}, and nothing can listen there: {error.strerror}.") from None

    def environment(self, broker_url: str, environ: Mapping[str, str]) -> dict[str, str]:
        """What every part finds in its environment."""
        allowed = environ.get("SCALP_ALLOWED_HOSTS") or "localhost,127.0.0.1,[::1]"
        return {
            "SCALP_CACHE": str(self.var / "cache"),
            **environ,
            "PYTHONPATH": str(self.root),
            "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            "SCALP_VAR": str(self.var),
            "SCALP_HOST": self.host,
            "SCALP_PORT": str(self.port),
            "SCALP_FLOWER_PORT": str(self.flower_port),
            "SCALP_FLOWER_URL": f"{self.flower_url}/",
            "SCALP_CONCURRENCY": str(self.concurrency),
            "SCALP_BROKER_URL": broker_url,
            # The launcher asks the web role how it is by this address, whatever else is allowed.
            "SCALP_ALLOWED_HOSTS": f"{allowed},{self.url.removeprefix('http://').rsplit(':', 1)[0]}",
        }


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises OSError where that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A server that just stopped leaves its port in TIME_WAIT, which hinders nobody.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with listen(LOOPBACK, 0) as listener:
        return int(listener.getsockname()[1])
