"""The service of docker-compose.yml as a compose project with its own secrets and port."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.composetest.commands import StepError
from deploy.composetest.engine import Engine
from deploy.composetest.images import ROOT

PROJECT = "scalpspectra-test"
LABEL = f"com.docker.compose.project={PROJECT}"
UP_SECONDS = 420


@dataclass(frozen=True)
class Container:
    name: str
    state: str  #: running, exited, restarting, …
    health: str  #: healthy, unhealthy, starting; empty without a health check
    exit_code: int
    restarts: int

    @property
    def is_up(self) -> bool:
        """It is healthy or, if it is a one-time job, has succeeded."""
        return self.health == "healthy" or (self.state == "exited" and self.exit_code == 0)

    @property
    def has_failed(self) -> bool:
        return self.health == "unhealthy" or self.restarts > 2 or self.state == "dead" or self.exit_code != 0


class Service:
    def __init__(self, engine: Engine, folder: Path) -> None:
        """`folder` is for the secrets and settings of this run."""
        self.engine = engine
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.origin = f"http://{address}"
        for secret in ("secret_key", "database_password"):
            file = folder / secret
            file.write_text(secrets.token_hex(32) + "\n")
            file.chmod(0o644)  # Other users read it in the containers; on the host, the folder keeps them out.
        (folder / "settings.env").write_text(f"SCALP_PUBLISH={address}\nSCALP_SECRETS={folder}\n")
        self._options = ["--project-name", PROJECT, "--project-directory", str(ROOT)]
        self._options += ["--file", str(ROOT / "docker-compose.yml"), "--env-file", str(folder / "settings.env")]

    def __enter__(self) -> Service:
        """Returns when every container is up. Raises StepError with the logs if one fails to start."""
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        began = time.monotonic()
        try:
            self._compose("up", "--detach", "--no-build")
            while not all(container.is_up for container in self.containers()):
                failed = [container.name for container in self.containers() if container.has_failed]
                if failed or time.monotonic() - began > UP_SECONDS:
                    raise StepError(
                        f"Not up after {time.monotonic() - began:.0f} s: {', '.join(failed) or 'too slow'}."
                    )
                time.sleep(1)
        except StepError as error:
            raise StepError(f"{error}\n{self.table()}\n{self.logs()}") from None
        print(f"  every container is up after {time.monotonic() - began:.0f} s", flush=True)

    def _stop(self) -> None:
        """Removes containers, networks and volumes."""
        self._compose("down", "--volumes", "--timeout", "20")

    def containers(self) -> list[Container]:
        ids = self.engine.docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}")
        form = (
            "{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{with .State.Health}}{{.Status}}{{end}}"
        )
        found = []
        for line in self.engine.docker("inspect", "--format", form, *ids.split()).splitlines():
            name, state, exit_code, restarts, *health = line.split()
            found.append(Container(name.lstrip("/"), state, "".join(health), int(exit_code), int(restarts)))
        return found

    def stop_part(self, name: str) -> Container:
        """Stops one part within its grace period, and returns the state of its container."""
        self._compose("stop", name)
        return next(container for container in self.containers() if f"_{name}_" in container.name.replace("-", "_"))

    def start_part(self, name: str) -> None:
        self._compose("start", name)

    def table(self) -> str:
        form = "table {{.Names}}\t{{.Status}}\t{{.Ports}}"
        return self.engine.docker("ps", "--all", "--filter", f"label={LABEL}", "--format", form)

    def logs(self) -> str:
        return self._compose("logs", "--no-color", "--tail", "40")

    def run_in(self, container: str, *command: str) -> bytes:
        """The standard output of `command` in a running container."""
        compose = self.engine.compose_command(*self._options, "exec", "-T", container, *command)
        ran = subprocess.run(compose, capture_output=True, env=self.engine.environment)
        if ran.returncode:
            raise StepError(
                f"{' '.join(command)} in {container} exited {ran.returncode}:\n{ran.stderr.decode()[-3000:]}"
            )
        return ran.stdout

    def _compose(self, *arguments: str) -> str:
        return self.engine.compose(*self._options, *arguments)
