"""`python -m ml bench`, run for real on small networks, and what its table is made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.bench.contenders import Eager, Ours
from ml.bench.difference import Difference
from ml.bench.host import Host, LineFailed, peak_memory
from ml.bench.photos import synthetic_photos
from ml.bench.table import BenchmarkRow, text
from ml.bench.weights import Weights, open_weights
from tests.support.environment import ROOT

SMALL = ("efficientnet-b0", 64)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def weights(work: Path) -> Weights:
    return open_weights(work, *SMALL)


def bench(work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    small = ("--architecture", SMALL[0], "--image-size", str(SMALL[1]), "--work", str(work), "--device", "cpu")
    command = [sys.executable, "-m", "ml", "bench", *small, "--rounds", "2", "--photos", "2", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_benchmark_measures_every_variant_and_their_results_agree(weights: Weights, work: Path) -> None:
    done = bench(work, "--out", str(work / "bench.json"))
    assert done.returncode == 0, done.stderr
    told = json.loads((work / "bench.json").read_text())
    rows = {row["name"]: row for row in told["rows"]}
    assert rows.keys() == {"original", "eager", "ours", "ours-batch", "limit"}
    assert told["faults"] == []
    for name in ("original", "eager", "ours", "ours-batch"):
        assert len(told["rounds"][name]) == 2
        assert rows[name]["difference"] < (1e-3 if rows[name]["precision"] == "float32" else 0.05)
        assert rows[name]["difference_share"] < 0.5
        assert 0 < rows[name]["p50"] <= rows[name]["p95"] <= rows[name]["p99"]
        assert 0 < rows[name]["share_of_limit"] < 1
        assert f"\n{name} " in done.stdout
    assert rows["ours"]["times_as_fast"]["ours"] == 1
    assert told["machine"]["versions"]["torch"]
    assert told["machine"]["networks"] == ["efficientnet-b0 at 64 px"]


def test_only_the_lines_that_were_asked_for_are_measured(weights: Weights, work: Path) -> None:
    done = bench(work, "--only", "eager", "--json")
    assert done.returncode == 0, done.stderr
    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == ["eager"]


def test_a_line_for_a_card_is_refused_on_a_cpu_with_a_sentence(weights: Weights, work: Path) -> None:
    done = bench(work, "--only", "eager-fp16")
    assert done.returncode == 1
    assert "None of eager-fp16 can be measured" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_contender_that_fails_says_why_and_takes_nobody_with_it(weights: Weights, tmp_path: Path) -> None:
    broken, sound = Host(Ours, tmp_path, "cpu"), Host(Eager, weights.bundle.folder, weights.state_dicts, "cpu")
    with pytest.raises(LineFailed, match=r"bundle\.json"):
        broken.start()
    sound.start()
    try:
        taken = sound.call("timed", synthetic_photos(3), 2)
        assert taken.probabilities.shape == (3, 6, 4)
        assert taken.latencies[0] == taken.latencies[1]
        assert sum({*taken.latencies}) <= taken.seconds
        if sys.platform == "linux":
            assert (peak_memory(sound.process_id) or 0) > 50 * 2**20
        with pytest.raises(LineFailed, match="cannot identify image"):
            sound.call("timed", [b"no photo"], 1)
    finally:
        broken.stop()
        sound.stop()


def test_the_table_leaves_empty_what_does_not_apply() -> None:
    rows = [
        BenchmarkRow(
            "ours", "what it is", "float32", 2.0, 0.5, 0.6, 0.7, {"ours": 1.0}, 2**30, 1e-6, 0.25, "a note", 0.001
        ),
        BenchmarkRow("limit", "a product", "float32", 8.0, times_as_fast={"ours": 0.25}, share_of_limit=1.0),
    ]
    head, _, ours, limit, _, *notes = text(rows).splitlines()
    assert head.split()[:3] == ["line", "precision", "photos/s"]
    assert ours.split() == [
        "ours",
        "float32",
        "2",
        "0.5",
        "0.6",
        "0.7",
        "1.00",
        "×",
        "25%",
        "1.00",
        "GiB",
        "1.0e-06",
        "0.1%",
    ]
    assert limit.split() == ["limit", "float32", "8", "0.25", "×", "100%"]
    assert notes == ["ours: what it is; a note.", "limit: a product."]


def test_parity_limits_are_looser_for_half_precision_than_for_float32() -> None:
    random = np.random.default_rng(1)
    reference = random.dirichlet(np.ones(4), (8, 6))
    rounded = reference + random.normal(0, 0.02, reference.shape)
    rounded[3, 2] = [1, 0, 0, 0]  # one answer that rounding turned over
    assert Difference.between(rounded, reference).fault("bfloat16") is None
    assert Difference.between(rounded, reference).fault("float32")
    assert Difference.between(reference + 1e-5, reference).fault("float32") is None
    for other in (np.roll(reference, 1, axis=0), np.full_like(reference, 0.25), reference[:, ::-1]):
        assert Difference.between(other, reference).fault("bfloat16")
    assert Difference.between(reference[:1], reference[:1]).share is None
    assert Difference(0.1, None).worst(Difference(0.01, 0.6)) == Difference(0.1, 0.6)
