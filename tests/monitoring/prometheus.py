"""A real Prometheus that watches a running stack, and the stack with metrics ports for it to ask."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from deploy.launcher.settings import free_port
from tests.support.environment import ROOT, spawn, until
from tests.support.stack import Stack

MONITORING = ROOT / "deploy" / "monitoring"

needs_prometheus = pytest.mark.skipif(
    shutil.which("promtool") is None and not os.environ.get("CI"),
    reason="Prometheus is not installed; on Debian and Ubuntu: apt install prometheus",
)


class MeasuredStack(Stack):
    """A stack whose workers answer Prometheus, each on a port of its own."""

    def __init__(self, folder: Path, bundle: Path, **settings: str) -> None:
        super().__init__(folder, bundle, **settings)
        self.metrics_ports = {"model": free_port(), "upkeep": free_port()}

    def start(self, part: str) -> None:
        self.environment["SCALP_METRICS_PORT"] = str(self.metrics_ports.get(part, 0))
        super().start(part)

    def targets(self) -> dict[str, str]:
        """Where each job of Prometheus finds what it asks."""
        ports = {"web": self.port, **self.metrics_ports}
        return {job: f"127.0.0.1:{port}" for job, port in ports.items()}


class Prometheus:
    """The server of the configuration that we ship, with a stack's addresses in it and without its patience."""

    def __init__(self, folder: Path, targets: dict[str, str], interval: str = "1s") -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.configuration = folder / "prometheus.yml"
        self.configuration.write_text(yaml.safe_dump(configuration_for(targets, interval)))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        command = ["prometheus", f"--config.file={self.configuration}", f"--storage.tsdb.path={self.folder / 'tsdb'}"]
        command += [f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"]
        self.process = spawn(command, self.folder / "prometheus.log")
        until(self._answers, 30, f"Prometheus (log in {self.folder})")
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression yields now."""
        return list(self._asked("query", query=expression)["result"])

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series that an expression yields from `start` to `end`, in seconds of the epoch."""
        return list(self._asked("query_range", query=expression, start=start, end=end, step=step)["result"])

    def up(self) -> dict[str, str]:
        """The health of each job's target."""
        targets = self._asked("targets")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in targets}

    def alerts(self) -> set[str]:
        """The names of the alerts that fire or are about to."""
        return {alert["labels"]["alertname"] for alert in self._asked("alerts")["alerts"]}

    def _asked(self, what: str, **parameters: object) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=30)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.RequestException:
            return False


def configuration_for(targets: dict[str, str], interval: str) -> dict[str, Any]:
    """The shipped configuration, with these targets in place of the names in a network of containers."""
    configuration: dict[str, Any] = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    assert {job["job_name"] for job in configuration["scrape_configs"]} == targets.keys()
    configuration["global"] = {
        "scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval,
    }  # fmt: skip
    configuration["rule_files"] = [str(MONITORING / name) for name in configuration["rule_files"]]
    for job in configuration["scrape_configs"]:
        for discovery in [key for key in job if key.endswith("_configs")]:
            del job[discovery]
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    return configuration
