"""Capacity by formula and by simulation, each compared with known results and with the other."""

from __future__ import annotations

import json
import math
import random
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.capacity.figures import Figure, Figures, read
from deploy.capacity.formulas import (
    batch_latency,
    erlang_c,
    in_system,
    mean_wait,
    servers_for,
    wait_quantile,
)
from deploy.capacity.plan import Demand, plan
from deploy.capacity.simulation import Service, linear, poisson, simulate
from tests.support.environment import ROOT

PHOTOS = 60_000


@pytest.mark.parametrize(
    ("servers", "offered", "waits"),
    [(1, 0.7, 0.7), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (10, 8.0, 0.4092), (2, 2.0, 1.0), (100, 0.001, 0.0)],
)
def test_erlangs_c_is_that_of_the_tables(servers: int, offered: float, waits: float) -> None:
    assert erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)


def test_one_server_waits_as_pollaczek_and_khinchine_say() -> None:
    assert mean_wait(0.8, 1.0, 1, variation=1) == pytest.approx(4.0)
    assert mean_wait(0.8, 1.0, 1) == pytest.approx(2.0)
    assert mean_wait(1.0, 1.0, 1) == wait_quantile(0.95, 1.0, 1.0, 1) == math.inf
    assert wait_quantile(0.5, 0.1, 1.0, 1) == 0.0


def exponential(mean: float) -> Service:
    return lambda _photos, rng: rng.expovariate(1 / mean)


@pytest.mark.parametrize("servers", [1, 3, 8])
@pytest.mark.parametrize("busy", [0.5, 0.8])
@pytest.mark.parametrize("variation", [0.0, 0.3, 1.0])
def test_formulas_and_simulation_agree(servers: int, busy: float, variation: float) -> None:
    rng, seconds = random.Random(servers), 0.5
    rate = busy * servers / seconds
    service = exponential(seconds) if variation == 1 else linear(0.0, seconds, variation)
    found = simulate(poisson(rate, PHOTOS / rate, rng), servers, service, most=1, rng=rng)
    assert found.busy == pytest.approx(busy, rel=0.03)
    # Allen and Cunneen's formula is an approximation unless service times are exponential or there is one server.
    exact = servers == 1 or variation == 1
    mean = mean_wait(rate, seconds, servers, variation)
    assert statistics.mean(found.waits) == pytest.approx(mean, rel=0.12 if exact else 0.4, abs=0.005)
    p95 = wait_quantile(0.95, rate, seconds, servers, variation)
    assert found.wait(0.95) == pytest.approx(p95, rel=0.15 if exact else 0.3, abs=0.02)


def test_little_holds_in_the_simulation() -> None:
    rng, rate = random.Random(2), 3.0
    arrivals = list(poisson(rate, 20_000, rng))
    found = simulate(iter(arrivals), 2, exponential(0.5), most=1, rng=rng)
    ends = sorted(came + total for came, total in zip(arrivals, found.totals, strict=True))
    changes = sorted([(moment, 1) for moment in arrivals] + [(moment, -1) for moment in ends])
    area, there, before = 0.0, 0, 0.0
    for moment, change in changes:
        area, there, before = area + there * (moment - before), there + change, moment
    assert area / ends[-1] == pytest.approx(in_system(rate, statistics.mean(found.totals)), rel=0.02)


@pytest.mark.parametrize("busy", [0.1, 0.5, 0.8])
def test_batching_stays_within_inoues_bound_which_is_tight(busy: float) -> None:
    fixed, each, rng = 0.1, 0.01, random.Random(3)
    rate = busy / each
    found = simulate(poisson(rate, PHOTOS / rate, rng), 1, linear(fixed, each), most=10**9, rng=rng)
    bound = batch_latency(rate, fixed, each)
    assert 0.8 * bound < statistics.mean(found.totals) <= 1.01 * bound
    assert sum(found.batches) == len(found.totals)


def test_batches_are_no_larger_than_the_most() -> None:
    rng = random.Random(4)
    found = simulate(poisson(50, 200, rng), 2, linear(0.1, 0.01), most=8, rng=rng)
    assert max(found.batches) == 8
    assert batch_latency(100, 0.1, 0.01) == math.inf


def test_the_fewest_servers_are_the_fewest() -> None:
    needed = servers_for(20, 0.5, quantile=0.95, max_wait=0.2, max_utilization=0.9)
    assert wait_quantile(0.95, 20, 0.5, needed) <= 0.2
    assert needed * 0.9 >= 10
    assert needed == 12 or wait_quantile(0.95, 20, 0.5, needed - 1) > 0.2


def figures(**values: float | None) -> Figures:
    names = Figures.__dataclass_fields__
    return Figures(**{name: Figure(values.get(name), "a test") for name in names})


def test_the_first_bottleneck_is_the_part_that_serves_the_least() -> None:
    known = figures(
        device_seconds=0.05, submits_per_core=50, polls_per_core=1500, sqlite_photos=20, postgresql_photos=1000,
        broker_commands=50_000, photo_commands=25, photo_bytes=200_000,
    )  # fmt: skip
    found = plan(Demand(100, peak=1.5, max_utilization=0.7), known)
    needed = {part.name: part.needed for part in found.parts}
    assert needed == {
        "device (GPU, or CPU cores)": 11, "web core": 6, "SQLite file": 0, "PostgreSQL server": 1, "Redis server": 1,
    }  # fmt: skip
    serve = [part.one_serves for part in found.bottlenecks]
    assert serve == sorted(serve)
    assert found.bottlenecks[0].name in {"device (GPU, or CPU cores)", "SQLite file"}
    assert found.bottlenecks[0].one_serves == pytest.approx(14.0)
    assert plan(Demand(1, peak=1), known).bottlenecks == []


def test_a_part_without_measurements_is_not_known(tmp_path: Path) -> None:
    found = plan(Demand(100), read(tmp_path))
    assert [part.needed for part in found.parts] == [None] * 5
    assert "not measured" in found.parts[0].basis
    assert found.bottlenecks == []


def test_figures_are_read_from_what_the_benchmarks_left(tmp_path: Path) -> None:
    bench = {
        "machine": {"device": "cpu"},
        "rows": [{"name": "original", "photos_per_second": 0.3}, {"name": "ours", "photos_per_second": 2.0}],
        "service_cost": {"sqlite": {"submits_per_core": 60, "polls_200_per_core": 1500}},
    }
    (tmp_path / "bench.json").write_text(json.dumps(bench))
    (tmp_path / "load.json").write_text(json.dumps({"limits": {"postgresql": 400}}))
    found = read(tmp_path)
    assert found.device_seconds.value == 0.5
    assert "make bench" in found.device_seconds.source
    assert (found.submits_per_core.value, found.polls_per_core.value) == (60, 1500)
    assert (found.postgresql_photos.value, found.sqlite_photos.value) == (400, None)
    assert found.given(device_seconds=0.02, photo_bytes=None).device_seconds == Figure(0.02, "given")


def test_the_command_prints_the_parts_and_the_first_bottleneck(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.capacity", "--var", str(tmp_path), "--photos-per-second", "100"]
    command += ["--batch", "0.05", "0.01", "16", "--postgresql-photos", "100", "--simulate"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "First bottleneck: the device" in told
    assert "Next bottleneck: the PostgreSQL server, above 70 photos per second" in told
    assert "not measured" in told
    assert "simulated: " in told
