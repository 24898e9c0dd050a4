"""Health tells the truth: each part that is away makes the service not ready, and is named."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.service_load import children
from tests.support.environment import until
from tests.support.stack import Stack

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Stack]:
    """A service of its own, whose parts are missed sooner than those of the one that all share."""
    running = Stack(tmp_path_factory.mktemp("missed"), small_bundle)
    try:
        yield running.up()
    finally:
        running.down()


@pytest.fixture(autouse=True)
def whole(stack: Stack) -> Iterator[None]:
    """Whatever a test broke is whole again before the next one."""
    yield
    stack.mend()


def told(stack: Stack) -> tuple[int, Any]:
    answer = requests.get(f"{stack.url}/readyz", timeout=30)
    return answer.status_code, answer.json()


def until_told(stack: Stack, reasons: set[str], warnings: set[str] | None = None) -> None:
    """Wait until just these are told, with the status that belongs to them."""

    def holds() -> bool:
        status, found = told(stack)
        right = status == (503 if found["reasons"] else 200) and found["ready"] is not bool(found["reasons"])
        return right and set(found["reasons"]) == reasons and set(found["warnings"]) == (warnings or set())

    until(holds, 30, f"{reasons or 'readiness'} in {told(stack)}")


def test_a_hung_model_worker_is_stale_and_a_vanished_one_is_missing(stack: Stack) -> None:
    stack.freeze_model()
    until_told(stack, {"worker_stale"})
    stack.kill("model", signal.SIGCONT)
    until_told(stack, set())
    stack.kill("model", signal.SIGTERM)
    until_told(stack, {"no_worker"})


def test_a_reaper_that_nobody_calls_is_asleep_though_its_worker_is_well(stack: Stack) -> None:
    stack.kill("schedule")
    until_told(stack, {"reaper_stale"})


def test_a_lost_upkeep_worker_is_reported_before_its_rounds_are_late(stack: Stack) -> None:
    stack.kill("upkeep")
    until_told(stack, {"upkeep_stale"})
    until_told(stack, {"upkeep_stale", "reaper_stale"})


def test_storage_that_is_gone_is_told(stack: Stack) -> None:
    photos = stack.folder / "var" / "photos"
    photos.mkdir(exist_ok=True)
    aside = photos.rename(stack.folder / "aside")
    try:
        photos.touch()
        until_told(stack, {"storage_unavailable"})
    finally:
        photos.unlink()
        aside.rename(photos)
    until_told(stack, set())


def test_a_lost_broker_is_a_warning_until_heartbeats_stop(stack: Stack) -> None:
    stack.kill("broker")
    begun = time.monotonic()
    until(lambda: "broker_unavailable" in told(stack)[1]["warnings"], 20, "the warning")
    assert stack.submit().status_code == 202
    assert time.monotonic() - begun < 20
    until_told(stack, {"worker_stale", "upkeep_stale", "reaper_stale"}, {"broker_unavailable"})


@pytest.fixture
def without_database(tmp_path: Path) -> Iterator[Stack]:
    """A web server whose PostgreSQL is not there."""
    web = Stack(tmp_path, tmp_path)
    web.collect_static_files()
    web.environment["SCALP_DATABASE_URL"] = "postgresql://scalp@127.0.0.1:1/nothing"
    web.start("web")
    try:
        until(lambda: alive(web), 60, "the web server")
        yield web
    finally:
        web.down()


def alive(web: Stack) -> bool:
    try:
        return requests.get(f"{web.url}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def test_a_lost_database_is_reported_along_with_the_server_s_own_metrics(without_database: Stack) -> None:
    status, found = told(without_database)
    assert (status, found["ready"], found["reasons"]) == (503, False, ["database_unavailable"])
    samples = scraped(without_database)
    assert samples['scalp_readiness_problem{"code": "database_unavailable"}'] == 1
    assert samples["scalp_ready{}"] == 0
    assert samples['scalp_http_requests_total{"method": "GET", "route": "/readyz", "status": "503"}'] == 1


def scraped(web: Stack) -> dict[str, float]:
    text = requests.get(f"{web.url}/metrics", timeout=60).text
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_any_process_reports_the_metrics_of_all_even_of_dead_ones(stack: Stack) -> None:
    counted = 'scalp_http_requests_total{"method": "GET", "route": "/healthz", "status": "200"}'
    before = scraped(stack).get(counted, 0)
    for _ in range(40):  # Each over a connection of its own, so that both processes get some.
        requests.get(f"{stack.url}/healthz", timeout=5)
    assert {scraped(stack)[counted] - before for _ in range(20)} == {40}

    served = children(stack.processes["web"].pid)
    os.kill(served[0], signal.SIGKILL)
    until(lambda: len(children(stack.processes["web"].pid)) == len(served), 10, "another process")
    until(lambda: alive(stack), 10, "an answer")
    grown = {scraped(stack)[counted] - before for _ in range(20)}
    assert len(grown) == 1
    assert 40 <= grown.pop() <= 60
    (folder,) = Path("/dev/shm").glob(f"scalp-metrics-{stack.processes['web'].pid}-*")
    assert 1 <= len(list(folder.glob("counter_*.db"))) <= len(served)
