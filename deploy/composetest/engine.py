"""The container engine of a test: the running one, or a private one that exists only for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from deploy.composetest.commands import StepError, install, output, succeeds

START_SECONDS = 30
STOP_SECONDS = 60


class Engine:
    """Runs `docker` and `docker compose` against one engine; a private engine stops when the context ends."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        """`folder` is for the private engine's socket and data, about 20 GB; `keep` leaves it there."""
        self.folder = folder
        self.keep = keep
        self.environment = dict(os.environ)
        self.private = not succeeds(["docker", "info"])
        self.address = self.environment.get("DOCKER_HOST", "of this host")
        self._daemon: subprocess.Popen[bytes] | None = None
        self._compose = ["docker", "compose"]

    def __enter__(self) -> Engine:
        """Raises StepError if a private engine is needed and does not start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            if self.private:
                install({"dockerd": "docker.io", "iptables": "iptables", "debootstrap": "debootstrap"})
                self._start_daemon()
            if not succeeds([*self._compose, "version"]):
                install({"docker-compose": "docker-compose"})
                self._compose = ["docker-compose"]
            if not succeeds(["docker", "buildx", "version"]):
                # Without this plugin, use the engine's own builder, which is enough for our container files.
                self.environment |= {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start_daemon(self) -> None:
        self.address = f"unix://{self.folder}/socket"
        self.environment["DOCKER_HOST"] = self.address
        # Without a default bridge, firewall rules and forwarding, published ports work through the engine's own proxy,
        # and the network of the host stays unchanged.
        command = [
            "dockerd",
            "--host",
            self.address,
            "--bridge",
            "none",
            "--iptables=false",
            "--ip-forward=false",
        ]
        command += ["--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"]
        command += ["--pidfile", f"{self.folder}/pid"]
        with (self.folder / "engine.log").open("wb") as log:
            self._daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not succeeds(["docker", "info"], environment=self.environment):
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                log_tail = (self.folder / "engine.log").read_text(errors="replace")[-3000:]
                raise StepError(f"The container engine did not start:\n{log_tail}")
            time.sleep(0.2)

    def _stop(self) -> None:
        """Stops a private engine and removes its data; leaves any other engine as it is."""
        if self._daemon is not None:
            self._daemon.terminate()
            try:
                self._daemon.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            for mount in reversed(Path("/proc/self/mounts").read_text().splitlines()):
                point = mount.split()[1]
                if point.startswith(f"{self.folder}/"):
                    subprocess.run(["umount", "--lazy", point], check=False)
        if not self.keep:
            shutil.rmtree(self.folder)

    def docker(self, *arguments: str) -> str:
        return output(["docker", *arguments], environment=self.environment)

    def has_image(self, name: str) -> bool:
        return succeeds(["docker", "image", "inspect", name], environment=self.environment)

    def pull(self, name: str) -> bool:
        return succeeds(["docker", "pull", name], environment=self.environment)

    def build(self, name: str, file: Path, context: Path, *arguments: str) -> None:
        """Builds `file` with the network of the host, and with its proxies if it has any."""
        began = time.monotonic()
        print(f"Building {name} …", flush=True)
        proxies = [n for n in self.environment if n.lower() in {"http_proxy", "https_proxy", "no_proxy"}]
        built = [option for proxy in proxies for option in ("--build-arg", proxy)]
        self.docker("build", "--network", "host", "--tag", name, "--file", str(file), *built, *arguments, str(context))
        print(f"  {time.monotonic() - began:.0f} s", flush=True)

    def compose_command(self, *arguments: str) -> list[str]:
        return [*self._compose, *arguments]

    def compose(self, *arguments: str) -> str:
        return output(self.compose_command(*arguments), environment=self.environment)
