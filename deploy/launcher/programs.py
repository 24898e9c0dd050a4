"""The programs of ScalpSpectra on one machine: the command of each, and how to tell that it is ready."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from deploy.launcher.broker_server import broker_command, broker_ready
from deploy.launcher.settings import Settings
from deploy.launcher.supervisor import Program

ANSWER_SECONDS = 2.0


class Programs:
    """Describes the programs of one run; starts nothing. `python` is that of the environment."""

    def __init__(self, settings: Settings, python: Path, broker: str) -> None:
        self.settings = settings
        self.python = str(python)
        self.broker_url = broker

    def manage(self, *words: str) -> list[str]:
        """A command of Django's manage.py."""
        return [self.python, "backend/manage.py", *words]

    def web(self) -> Program:
        command = [self.python, "-m", "gunicorn", "backend.config.wsgi:application"]
        command += ["--config", "deploy/gunicorn.conf.py"]
        return Program("web", command, lambda: _get(f"{self.settings.url}/healthz") is not None)

    def model_workers(self) -> list[Program]:
        """One worker per device."""
        devices = self.settings.devices
        if len(devices) == 1:
            return [self._model_worker("model", self._models_resident)]
        return [
            self._model_worker(
                f"model-{number + 1}", partial(self._answers_ping, f"model-{number + 1}"), number, device
            )
            for number, device in enumerate(devices)
        ]

    def _model_worker(
        self, name: str, ready: Callable[[], bool], number: int = 0, device: str | None = None
    ) -> Program:
        command = self._worker("workers.model", "photos", name, self.settings.concurrency)
        command = self._with_metrics_port(command, number)
        if device is not None:
            command = _with(command, SCALP_DEVICE=device)
        # The slowest start is the first one with 8-bit models: quantizing each of the seven takes a minute or two.
        return Program(name.replace("model", "model worker"), command, ready, start_timeout=1800.0, stop_timeout=30.0)

    def upkeep(self) -> Program:
        command = self._worker("workers.upkeep", "upkeep", "upkeep", 2)
        command = self._with_metrics_port(command, len(self.settings.devices))
        return Program("upkeep", command, lambda: self._answers_ping("upkeep"))

    def schedule(self) -> Program:
        """Celery beat, which starts the reaper and the purge. From outside we only see whether it is alive."""
        command = [self.python, "-m", "celery", "-A", "workers.upkeep", "beat", "--loglevel", "INFO"]
        command += ["--schedule", str(self.settings.state / "schedule"), "--pidfile="]
        return Program("schedule", command, lambda: True)

    def flower(self) -> Program:
        """Flower stays on loopback whatever SCALP_HOST is, and asks for a password even there (FLOWER_BASIC_AUTH):
        other users of the machine and pages in a browser reach loopback as well.
        """
        command = [self.python, "-m", "celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
        command += [f"--port={self.settings.flower_port}", "--max-tasks=10000", "--purge-offline-workers=60"]
        return Program("Flower", command, lambda: _get(f"{self.settings.flower_url}/healthcheck") is not None)

    def _worker(self, application: str, queue: str, name: str, threads: int) -> list[str]:
        """Threads, not processes: CUDA does not survive a fork (pytorch #40403). Nothing here uses gossip."""
        command = [self.python, "-m", "celery", "-A", application, "worker", "--queues", queue]
        command += ["--pool", "threads", "--concurrency", str(threads), "--hostname", f"{name}@%h"]
        return [*command, "-E", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]

    def _with_metrics_port(self, command: list[str], number: int) -> list[str]:
        """Adds the worker's own metrics port, if metrics ports are set."""
        ports = self.settings.metrics_ports
        return _with(command, SCALP_METRICS_PORT=str(ports[number])) if ports else command

    def _models_resident(self) -> bool:
        """Not the same as ready, which also needs the upkeep worker, and that starts later."""
        answer = _get(f"{self.settings.url}/readyz", accepted=(200, 503))
        return answer is not None and json.loads(answer)["models_resident"] > 0

    def _answers_ping(self, name: str) -> bool:
        from celery import Celery  # not at the top: a bare Python has not installed it yet

        with Celery(broker=self.broker_url) as application:
            return bool(application.control.ping([f"{name}@{socket.gethostname()}"], timeout=ANSWER_SECONDS))


def own_broker(settings: Settings, port: int, url: str) -> Program:
    """The server of `broker.broker_command`, with its data in `var/broker`."""
    command = broker_command(settings.var / "broker", port, settings.broker_password)
    return Program("broker", command, lambda: broker_ready(url), outlasts=True)


def _with(command: list[str], **variables: str) -> list[str]:
    """The command with more environment variables."""
    given = [f"{name}={value}" for name, value in variables.items()]
    return ["env", *given, *command[1:]] if command[0] == "env" else ["env", *given, *command]


def _get(url: str, accepted: tuple[int, ...] = (200,)) -> bytes | None:
    """The body of a response with an accepted status; None for any other status and for no response."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    try:
        with opener.open(url, timeout=ANSWER_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return bytes(answer.read()) if answer.code in accepted else None
    except OSError:
        return None
