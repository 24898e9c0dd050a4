"""What ScalpSpectra consists of on one machine: the command of each part and how to see that it is ready."""

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
from deploy.launcher.supervisor import Part

SECONDS_TO_ANSWER = 2.0


class Parts:
    """The parts of one run, with `python` of the environment. Each method describes one; none starts
    anything."""

    def __init__(self, settings: Settings, python: Path, broker: str) -> None:
        self.settings = settings
        self.python = str(python)
        self.broker_url = broker

    def manage(self, *words: str) -> list[str]:
        """A command of Django's manage.py."""
        return [self.python, "backend/manage.py", *words]

    def web(self) -> Part:
        command = [self.python, "-m", "gunicorn", "backend.config.wsgi:application"]
        command += ["--config", "deploy/gunicorn.conf.py"]
        return Part("web", command, lambda: _get(f"{self.settings.url}/healthz") is not None)

    def model_workers(self) -> list[Part]:
        """The processes that own a device each. Seven models take their time to load, and a batch its time to
        finish."""
        devices = self.settings.devices
        if len(devices) == 1:
            return [self._model_worker("model", self._models_resident)]
        return [
            self._model_worker(
                f"model-{number + 1}", partial(self._answers_ping, f"model-{number + 1}"), number, device
            )
            for number, device in enumerate(devices)
        ]

    def _model_worker(self, name: str, ready: Callable[[], bool], number: int = 0, device: str | None = None) -> Part:
        command = self._worker("workers.model", "photos", name, self.settings.concurrency)
        command = self._measured(command, number)
        if device is not None:
            command = _with(command, SCALP_DEVICE=device)
        # The longest start is the first one in 8 bits: seven networks take a minute or two each to be quantised.
        return Part(name.replace("model", "model worker"), command, ready, patience=1800.0, drain=30.0)

    def upkeep(self) -> Part:
        command = self._worker("workers.upkeep", "upkeep", "upkeep", 2)
        command = self._measured(command, len(self.settings.devices))
        return Part("upkeep", command, lambda: self._answers_ping("upkeep"))

    def schedule(self) -> Part:
        """Celery beat: it rings for the reaper and the purge. Alive is all that can be seen of it from
        outside."""
        command = [self.python, "-m", "celery", "-A", "workers.upkeep", "beat", "--loglevel", "INFO"]
        command += ["--schedule", str(self.settings.state / "schedule"), "--pidfile="]
        return Part("schedule", command, lambda: True)

    def flower(self) -> Part:
        """Flower's page lets anybody read the queue and stop workers, so it stays on loopback whatever the
        host is."""
        command = [self.python, "-m", "celery", "-A", "workers.app", "flower", "--address=127.0.0.1"]
        command += [f"--port={self.settings.flower_port}", "--max-tasks=10000", "--purge-offline-workers=60"]
        return Part("Flower", command, lambda: _get(f"{self.settings.flower_url}/healthcheck") is not None)

    def _worker(self, application: str, queue: str, name: str, threads: int) -> list[str]:
        """Threads, not processes: CUDA does not survive a fork (pytorch #40403). One worker needs no
        gossip."""
        command = [self.python, "-m", "celery", "-A", application, "worker", "--queues", queue]
        command += ["--pool", "threads", "--concurrency", str(threads), "--hostname", f"{name}@%h"]
        return [*command, "-E", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]

    def _measured(self, command: list[str], number: int) -> list[str]:
        """The worker of this number answers Prometheus on a port of its own, where ports were asked for."""
        ports = self.settings.metrics_ports
        return _with(command, SCALP_METRICS_PORT=str(ports[number])) if ports else command

    def _models_resident(self) -> bool:
        """Not the same as ready, for which the upkeep, started later, must be there as well."""
        answer = _get(f"{self.settings.url}/readyz", fine=(200, 503))
        return answer is not None and json.loads(answer)["models_resident"] > 0

    def _answers_ping(self, name: str) -> bool:
        from celery import Celery  # comes with the environment, which a bare Python is still about to make

        with Celery(broker=self.broker_url) as application:
            return bool(application.control.ping([f"{name}@{socket.gethostname()}"], timeout=SECONDS_TO_ANSWER))


def own_broker(settings: Settings, port: int, url: str) -> Part:
    """The server that `broker.broker_command` describes, with its data in `var/broker`."""
    command = broker_command(settings.var / "broker", port, settings.broker_password)
    return Part("broker", command, lambda: broker_ready(url), outlasts=True)


def _with(command: list[str], **variables: str) -> list[str]:
    """The command with more in its environment."""
    given = [f"{name}={value}" for name, value in variables.items()]
    return ["env", *given, *command[1:]] if command[0] == "env" else ["env", *given, *command]


def _get(url: str, fine: tuple[int, ...] = (200,)) -> bytes | None:
    """The body of an answer with a fine status; None for any other answer and for none."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    try:
        with opener.open(url, timeout=SECONDS_TO_ANSWER) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return bytes(answer.read()) if answer.code in fine else None
    except OSError:
        return None
