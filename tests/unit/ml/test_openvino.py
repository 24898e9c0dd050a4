"""OpenVINO as a runtime: what it answers, what it keeps between starts, and what it leaves behind."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.labels import MODEL_KEYS
from ml.preprocessing import Preprocessing, prepare
from ml.runtimes import Runtime
from ml.runtimes.cache import Cache
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.openvino import OpenVinoRuntime
from ml.runtimes.resident import ModelAnswer, ResidentModels

PREPROCESSING = Preprocessing(64, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BATCH = torch.stack([prepare(scalp_picture(seed), {PREPROCESSING}).tensors[PREPROCESSING] for seed in range(3)])
KEYS = MODEL_KEYS[:2]


@pytest.fixture
def answered(bundle: Bundle) -> Callable[[Runtime], list[ModelAnswer]]:
    """What two models say of the batch, over a runtime."""

    def answers(runtime: Runtime) -> list[ModelAnswer]:
        models = ResidentModels(runtime)
        for model, networks in bundle.networks():
            if model.key in KEYS:
                models.load(model, networks)
        return [models.run(key, BATCH, features=True) for key in KEYS]

    return answers


Answered = Callable[[Runtime], list[ModelAnswer]]


def test_openvino_gives_what_eager_torch_gives(answered: Answered, tmp_path: Path) -> None:
    """In bfloat16 the features stay near those of the photo: rounding may turn a sure answer of untrained networks."""
    expected = answered(EagerRuntime("cpu"))
    cache = Cache(tmp_path)
    runtime = OpenVinoRuntime(cache)
    for found in (answered(OpenVinoRuntime()), answered(runtime), answered(OpenVinoRuntime(cache))):
        for ours, theirs in zip(found, expected, strict=True):
            if runtime.precision == "float32":
                np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-4)
            assert ours.features is not None
            assert theirs.features is not None
            to_another_photo = np.linalg.norm(np.roll(theirs.features, 1, axis=0) - theirs.features)
            assert np.linalg.norm(ours.features - theirs.features) < 0.5 * to_another_photo


def test_a_second_start_compiles_nothing(answered: Answered, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answered(OpenVinoRuntime(Cache(tmp_path)))
    assert sum("compiled" in record.message for record in caplog.records) == len(KEYS)
    caplog.clear()
    answered(OpenVinoRuntime(Cache(tmp_path)))
    assert not caplog.records


def test_a_damaged_file_in_the_cache_is_made_anew(
    answered: Answered, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = answered(OpenVinoRuntime(Cache(tmp_path)))
    kept = sorted(tmp_path.iterdir())
    sizes = [path.stat().st_size for path in kept]
    for path in kept:
        path.write_bytes(path.read_bytes()[:1000])
    found = answered(OpenVinoRuntime(Cache(tmp_path)))
    assert sum("is compiled again" in record.message for record in caplog.records) == len(KEYS)
    # What is written again differs by some bytes where it is in bfloat16.
    assert [path.stat().st_size for path in sorted(tmp_path.iterdir())] == pytest.approx(sizes, rel=0.001)
    for made_anew, before in zip(found, expected, strict=True):
        np.testing.assert_array_equal(made_anew.probabilities, before.probabilities)


def test_without_a_folder_to_write_the_models_run_all_the_same(
    answered: Answered, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    found = answered(OpenVinoRuntime(Cache(tmp_path / "file" / "below")))
    assert any("cannot write to the cache" in record.message for record in caplog.records)
    assert len(found) == len(KEYS)


def test_the_cache_forgets_what_was_not_used_for_a_month(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write("old", b"old")
    cache.write("used", b"used")
    for name in ("old", "used"):
        path = cache.find(name)
        assert path is not None
        os.utime(path, (0, 0))
    assert cache.find("used") is not None
    cache.write("new", b"new")
    assert (cache.find("old"), cache.find("used") is None, cache.find("new") is None) == (None, False, False)


def test_openvino_tells_nobody_that_it_is_used() -> None:
    code = """
import ml.runtimes.openvino, openvino.tools.ovc.telemetry_utils as told, sys
sys.exit(told.tm.__name__ != "openvino.tools.ovc.telemetry_stub")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_process_outlives_its_runtimes_and_hears_signals_after_them() -> None:
    code = """
import faulthandler, os, signal
from ml.runtimes.openvino import OpenVinoRuntime
faulthandler.enable()
heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
one, other = OpenVinoRuntime(), OpenVinoRuntime()
del one
del other
os.kill(os.getpid(), signal.SIGUSR1)
assert heard
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
