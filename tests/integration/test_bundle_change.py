"""Another bundle, and back, as deploy/kubernetes/README.md says: worker by worker, while photos come."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import requests

from ml.build.from_seeds import build_seeded_bundle
from ml.labels import SYMPTOMS
from tests.support.environment import ROOT, until
from tests.support.stack import Stack, scalp_photo

pytestmark = pytest.mark.processes

OLD, NEW = "demo@1.0.0", "demo@2.0.0"
PHOTO = scalp_photo(7)


class Fleet(Stack):
    """The service with two model workers, each of which is told its own bundle."""

    models = ("model-1", "model-2")

    def start_model(self, part: str, bundle: Path) -> subprocess.Popen[bytes]:
        self.besides[part] = {"SCALP_BUNDLE": str(bundle)}
        self.start(part)
        return self.processes[part]

    def healthy(self, part: str) -> bool:
        """What the manifest's probes ask inside the pod, now and then."""
        time.sleep(1)
        command = [sys.executable, "backend/manage.py", "check_worker", self.node(part)]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True).returncode == 0

    def replace(self, leaving: str, coming: str, bundle: Path) -> None:
        """As a Deployment with one pod more and none less does: the former leaves once the new one is ready."""
        self.start_model(coming, bundle)
        until(lambda: self.healthy(coming), 120, f"health of {coming} (logs in {self.folder})")
        resident = f"SELECT models_resident FROM operations_worker WHERE name = '{self.node(coming)}'"
        assert list(self.query(resident)) == [(7,)]
        self.kill(leaving, signal.SIGTERM)
        assert self.processes.pop(leaving).returncode == 0


class Visitors:
    """While it is entered, one client sends the same photo again and again, and another asks for readiness."""

    def __init__(self, service: Stack) -> None:
        self.service = service
        self.statuses: set[int] = set()
        self.ids: list[str] = []
        self.told: list[tuple[int, str]] = []  #: status and bundles of `/readyz`
        self._over = threading.Event()
        self._threads = ThreadPoolExecutor(2)

    def __enter__(self) -> Visitors:
        self._both = [self._threads.submit(self._repeat, *what) for what in ((self._send, 0.4), (self._ask, 0.2))]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._threads.shutdown()
        for thread in self._both:
            thread.result()

    def _repeat(self, visit: Callable[[], None], pause: float) -> None:
        while not self._over.wait(pause):
            visit()

    def _send(self) -> None:
        answer = self.service.submit(PHOTO)
        self.statuses.add(answer.status_code)
        self.ids.append(answer.json()["id"])

    def _ask(self) -> None:
        answer = requests.get(f"{self.service.url}/readyz", timeout=30)
        self.told.append((answer.status_code, answer.json()["bundle"]))

    def assert_content(self, *bundles: str) -> dict[str, list[Any]]:
        """Everybody was served, `/readyz` named these bundles one after another, and no photo took a second try.

        The results by the bundle that they name.
        """
        assert self.statuses == {202}
        assert [told for told, _ in groupby(self.told)] == [(200, named) for named in bundles]
        ended = [self.service.wait(analysis_id) for analysis_id in self.ids]
        assert [one["status"] for one in ended] == ["succeeded"] * len(self.ids)
        # Requeuing what was not begun costs no attempt; a lease that expires would.
        assert list(self.service.query("SELECT max(attempt - tries_from) FROM analyses_analysis")) == [(1,)]
        results: dict[str, list[Any]] = {}
        for one in ended:
            results.setdefault(one["result"]["bundle"], []).append(probabilities(one["result"]))
        return results


def probabilities(result: dict[str, Any]) -> list[float]:
    return [value for finding in result["findings"] for value in finding["probabilities"]]


@pytest.fixture(scope="module")
def new_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of other seeds, so that it gives other answers."""
    folder = tmp_path_factory.mktemp("bundles") / "new"
    build_seeded_bundle(folder, architecture="efficientnet-b0", image_size=64, seed=101, version="2.0.0")
    return folder


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Fleet]:
    # Two cores, on which workers start as well, must not look like workers that are gone.
    running = Fleet(tmp_path_factory.mktemp("fleet"), small_bundle, SCALP_LEASE_SECONDS="30")
    try:
        running.up()
        until(running.all_models_ready, 120, f"both workers (logs in {running.folder})")
        yield running
    finally:
        running.down()


def test_an_invalid_bundle_is_never_ready_and_gets_no_photo(fleet: Fleet, new_bundle: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(new_bundle, tmp_path / "broken")
    weights = broken / f"{SYMPTOMS[-1].key}.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + bytes([weights.read_bytes()[-1] ^ 1]))
    with Visitors(fleet) as visitors:
        worker = fleet.start_model("model-broken", broken)
        while worker.poll() is None:
            assert not fleet.healthy("model-broken")
        assert not fleet.healthy("model-broken")
    assert fleet.processes.pop("model-broken").returncode != 0
    assert "its SHA-256 differs" in fleet.log("model-broken").read_text()
    results = visitors.assert_content(OLD)
    assert results.keys() == {OLD}
    assert "analysis_claimed" not in fleet.log("model-broken").read_text()


def test_another_bundle_and_back_while_photos_come(fleet: Fleet, new_bundle: Path, small_bundle: Path) -> None:
    with Visitors(fleet) as visitors:
        fleet.replace("model-1", "model-3", new_bundle)
        fleet.replace("model-2", "model-4", new_bundle)
        until(lambda: visitors.told[-1] == (200, NEW), 10, "the new bundle alone")
        fleet.replace("model-3", "model-5", small_bundle)
        fleet.replace("model-4", "model-6", small_bundle)
        until(lambda: visitors.told[-1] == (200, OLD), 10, "the old bundle alone")
    both = f"{OLD}, {NEW}"
    results = visitors.assert_content(OLD, both, NEW, both, OLD)
    # It is the bundle that it names: the same photo has two answers, and each is that of one bundle.
    (old, *others), (new, *news) = results[OLD], results[NEW]
    assert all(other == pytest.approx(old, abs=0.01) for other in others)
    assert all(other == pytest.approx(new, abs=0.01) for other in news)
    assert old != pytest.approx(new, abs=0.1)
