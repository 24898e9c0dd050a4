"""The whole service as a line of the benchmark: web, queue, broker, database and model worker, over HTTP."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import requests

from ml.bench.contenders import Taken
from ml.bench.host import LineFailed
from ml.bench.lines import BenchmarkLine
from ml.bench.weights import Weights
from ml.labels import SYMPTOMS
from ml.runtimes.choice import open_runtime
from tests.bench.client import closed_loop
from tests.bench.processes import largest_peak

if TYPE_CHECKING:
    from tests.support.stack import Stack

PATIENCE = 900.0  #: seconds for the first conversion of seven models
ENDED = {"succeeded", "rejected", "failed", "canceled", "expired"}


class Service:
    """The running parts, which both lines ask. Starts once."""

    def __init__(
        self, weights: Weights, device: str, batch: int, folder: Path, surroundings: Mapping[str, str]
    ) -> None:
        self.batch = batch
        self.clients = 2 * batch
        self._weights, self.device, self._folder = weights, device, folder
        self._surroundings = surroundings
        self.stack: Stack | None = None

    def start(self) -> None:
        if self.stack is not None:
            return
        # Importing it starts a broker for the tests and points Django at a scratch folder, for every process after.
        from tests.support.stack import Stack

        kept = {"SCALP_TEST_DATABASE", "SCALP_DATABASE_URL"}
        os.environ.clear()
        os.environ.update(self._surroundings)
        stack = Stack(self._folder, self._weights.bundle.folder.resolve())
        stack.environment = {
            **{name: value for name, value in self._surroundings.items() if not name.startswith("SCALP_")},
            **{name: value for name, value in stack.environment.items() if name in kept},
            **{name: stack.environment[name] for name in OWN},
            "SCALP_DEVICE": self.device,
            "SCALP_MAX_BATCH": str(self.batch),
            "SCALP_CONCURRENCY": str(max(16, 2 * self.clients)),
            "SCALP_SUBMITS_PER_MINUTE": "1000000",
            "SCALP_QUEUE_LIMIT": "100000",
            "SCALP_WAITERS": str(self.clients),
            "SCALP_WEB_THREADS": str(self.clients + 8),
        }
        self.stack = stack
        try:
            stack.up(PATIENCE)
        except (AssertionError, TimeoutError) as error:
            raise LineFailed(f"The service did not start: {error}") from None

    def stop(self) -> None:
        if self.stack is not None:
            self.stack.down()
            self.stack = None


#: What a `Stack` tells its parts about itself; the rest of its settings are for tests.
OWN = ("SCALP_VAR", "SCALP_BROKER_URL", "SCALP_BUNDLE", "SCALP_HOST", "SCALP_PORT", "SCALP_LOG_LEVEL")


class WholeService(BenchmarkLine):
    """Twice as many clients as a batch has photos, so that the worker always finds the next batch waiting."""

    name = "service"
    what = "the whole service over HTTP: submit, queue, findings in the database, read with Prefer: wait=25"
    ours = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self.clients = service.clients

    def start(self) -> None:
        self._service.start()
        self.precision = open_runtime("auto", self._service.device).precision
        database = "PostgreSQL" if "SCALP_DATABASE_URL" in self._stack.environment else "SQLite"
        self.note = f"batches of up to {self._service.batch}, {self.clients} clients, {database}"

    def seen(self, photo: bytes) -> bytes:
        """The service cleans each photo before anything else, which encodes it again."""
        from backend.analyses.photos import photo_clean

        return photo_clean(photo).jpeg

    def measure(self, photos: Sequence[bytes]) -> Taken:
        return closed_loop(photos, self.clients, self._ask)

    def peak_memory(self) -> int | None:
        return largest_peak(self._stack.processes["model"].pid)

    def stop(self) -> None:
        self._service.stop()

    @property
    def _stack(self) -> Stack:
        assert self._service.stack is not None
        return self._service.stack

    def _ask(self, session: requests.Session, photo: bytes) -> np.ndarray:
        url = f"{self._stack.url}/api/v1/analyses/"
        answers = {"sex": "female", "age": "30s", "consent": "true"}
        submitted = session.post(url, files={"photo": ("photo.jpg", photo, "image/jpeg")}, data=answers, timeout=60)
        submitted.raise_for_status()
        address = f"{url}{submitted.json()['id']}/"
        while True:
            answer = session.get(address, headers={"Prefer": "wait=25"}, timeout=60)
            answer.raise_for_status()
            status = answer.json()
            if status["status"] in ENDED:
                return _probabilities(status)
            if "Preference-Applied" not in answer.headers:
                time.sleep(float(answer.headers["Retry-After"]))


class IdleService(WholeService):
    """One client alone, which shows what the queue and the database cost beside the models."""

    name = "service-idle"
    what = "the whole service over HTTP, one client alone"
    ours = False
    at_most = 4

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.clients = 1
        self._overheads: list[float] = []

    def measure(self, photos: Sequence[bytes]) -> Taken:
        log = self._stack.log("model")
        begin = log.stat().st_size
        taken = super().measure(photos)
        batches = _batches(log, begin)
        if len(batches) == len(photos):
            self._overheads += [waited - ran for waited, ran in zip(taken.latencies, batches, strict=True)]
            overhead = statistics.median(self._overheads)
            self.note = f"queue overhead {overhead:.3f} s in the median: submit to findings, less the batch's own time"
        return taken


def _probabilities(status: dict[str, Any]) -> np.ndarray:
    if status["status"] != "succeeded":
        raise LineFailed(f"An analysis of the benchmark ended as {status}.")
    by_symptom = {finding["symptom"]: finding["probabilities"] for finding in status["result"]["findings"]}
    return np.array([by_symptom[symptom.key] for symptom in SYMPTOMS])


def _batches(log: Path, begin: int) -> list[float]:
    """Seconds of each batch of one photo that the worker logged past byte `begin`, in order."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = [json.loads(line) for line in file if line.startswith(b"{") and b'"batch_done"' in line]
    return [line["seconds"] for line in lines if line["photos"] == 1]
