"""A RabbitMQ server of its own in a scratch folder, with an epmd of its own beside it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.launcher.broker_server import broker_ready
from deploy.launcher.settings import LOOPBACK, free_port
from tests.support.environment import spawn, until

PROGRAMS = Path("/usr/lib/rabbitmq/bin")


def rabbitmq_is_here() -> bool:
    """Whether the server's programs are installed. Raises where they must be: `make test` installs them for CI."""
    here = (PROGRAMS / "rabbitmq-server").exists()
    if not here and os.environ.get("CI") == "true":
        raise RuntimeError("RabbitMQ is missing, and CI must not do without it. Debian: apt install rabbitmq-server")
    return here


needs_rabbitmq = pytest.mark.skipif(
    not rabbitmq_is_here(), reason="RabbitMQ is not installed. Debian, Ubuntu: apt install rabbitmq-server"
)


class RabbitMQ:
    """One node on loopback that may be killed and started again with what it had."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.port = free_port()
        self.url = f"amqp://guest:guest@{LOOPBACK}:{self.port}//"
        plugins, settings = folder / "plugins", folder / "rabbitmq.conf"
        plugins.write_text("[].\n")
        settings.write_text("loopback_users = none\n")
        self.environment: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": f"scalp{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
            "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(settings),
            # One scheduler is enough for a few ids, and busy-waiting threads would take time from the workers.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
        }
        #: In the foreground, or the node would start one that stays behind.
        self.names = spawn(["epmd"], folder / "epmd.log", env=dict(self.environment))
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        self.process = spawn(
            [str(PROGRAMS / "rabbitmq-server")], self.folder / "server.log", env=dict(self.environment)
        )
        until(lambda: broker_ready(self.url), 60, f"RabbitMQ (logs in {self.folder})")
        return self.process

    def signal(self, number: signal.Signals) -> None:
        """To the node and all its children; waits for its end if the signal means one."""
        os.killpg(self.process.pid, number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.process.wait(60)

    def lose_all(self) -> None:
        """Forget every queue and message; for a node that is down."""
        shutil.rmtree(self.folder / "mnesia")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.names.kill()
        self.names.wait()
