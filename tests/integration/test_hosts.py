"""Model workers on several hosts, one of which is cut off with photos in its hands and comes back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.environment import NotHere, postgresql_programs, until
from tests.support.hosts import AcrossHosts, Network
from tests.support.stack import Stack
from tests.support.succeeded import assert_each_succeeded_once

pytestmark = pytest.mark.processes

HOSTS = ("one", "two", "three")
PHOTOS, LATER = 30, 10
CUT = "model-two"


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if postgresql_programs() is None:
        pytest.skip("Hosts can't share a file. Debian, Ubuntu: apt install postgresql")
    try:
        made = Network(HOSTS)
    except NotHere as reason:
        pytest.skip(str(reason))
    passed_by = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("no_proxy", f"{passed_by},{made.address}")  # A proxy would not find the address.
        yield made
    made.remove()


@pytest.fixture(scope="module")
def service(network: Network, tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[AcrossHosts]:
    running = AcrossHosts(tmp_path_factory.mktemp("hosts"), small_bundle, network)
    try:
        running.up()
        until(running.all_models_ready, 120, f"a worker on each host (logs in {running.folder})")
        yield running
    finally:
        running.down()


def submit(service: Stack, photos: int) -> list[str]:
    answers = [service.submit() for _ in range(photos)]
    assert [answer.status_code for answer in answers] == [202] * photos
    return [answer.json()["id"] for answer in answers]


def written(service: Stack, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """All that workers write of these, finding by finding."""
    columns = "a.id, attempt, worker, tries_from, models_done, status, finished_at, human_id, f.id, grade, confidence"
    tables = "analyses_analysis a JOIN analyses_finding f ON f.analysis_id = a.id"
    among = ", ".join(f"'{analysis_id}'" for analysis_id in ids)
    return list(service.query(f"SELECT {columns} FROM {tables} WHERE a.id IN ({among}) ORDER BY f.id"))


def done_by(service: Stack, part: str) -> set[tuple[str, int]]:
    """Analyses and the attempts of this worker that were written as a success, by its own log."""
    lines = [line for line in service.log(part).read_text().splitlines() if '"analysis_succeeded"' in line]
    return {(event["analysis"], event["attempt"]) for event in map(json.loads, lines)}


def test_a_host_cut_off_mid_work_loses_and_repeats_no_photo_and_returns(
    service: AcrossHosts,
) -> None:
    for part in service.models:  # So that many wait, and each worker takes as many as it may.
        service.kill(part, signal.SIGSTOP)
    ids = submit(service, PHOTOS)
    for part in sorted(service.models, key=lambda part: part != CUT):
        service.kill(part, signal.SIGCONT)
    held = service.cut_off(CUT, photos=2)
    assert held
    ids += submit(service, LATER)
    assert_each_succeeded_once(service, ids)
    before = written(service, ids)
    by_whom = {str(analysis_id): (attempt, worker) for analysis_id, attempt, worker, *_ in before}
    for analysis_id, attempt in held.items():
        assert by_whom[analysis_id][0] > attempt
        assert by_whom[analysis_id][1] != service.node(CUT)

    service.network.plug_in("two")
    until(service.all_models_ready, 60, "the host that was cut off")
    more: list[str] = []

    def works_again() -> bool:
        more.extend(submit(service, 6))
        time.sleep(1)
        return not done_by(service, CUT).isdisjoint({(analysis_id, 1) for analysis_id in more})

    until(works_again, 60, "another photo of the host that was cut off")
    assert_each_succeeded_once(service, [*ids, *more])
    service.kill(CUT, signal.SIGTERM)  # It ends whatever it still has in hand before it goes, and says that it goes.
    assert not service.query(f"SELECT name FROM operations_worker WHERE name = '{service.node(CUT)}'")
    assert not done_by(service, CUT) & set(held.items())
    assert written(service, ids) == before
