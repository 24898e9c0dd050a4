from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from ml.bundle import Bundle
from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory
from ml.outputs import to_probabilities
from ml.registry import create_filled_network
from ml.runtimes import Answer
from ml.runtimes.eager import EagerRuntime, choose_device, guarded, translate

BATCH = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_a_run_gives_probabilities_of_each_class(bundle: Bundle) -> None:
    runtime = EagerRuntime("cpu")
    model, (weights,) = next(bundle.weights())
    runtime.load(model, [weights])
    probabilities = runtime.run(model.key, BATCH).probabilities
    assert (probabilities.shape, probabilities.dtype) == ((3, 4), np.float32)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert probabilities.min() >= 0


def test_the_temperature_divides_the_logits(bundle: Bundle) -> None:
    cold, warm = EagerRuntime("cpu"), EagerRuntime("cpu")
    model, (weights,) = next(bundle.weights())
    cold.load(model, [weights])
    warm.load(model.model_copy(update={"temperature": 2.5}), [weights])
    expected = torch.from_numpy(cold.run(model.key, BATCH).probabilities).log().div(2.5).softmax(dim=1).numpy()
    np.testing.assert_allclose(warm.run(model.key, BATCH).probabilities, expected, atol=1e-5)


def test_a_corn_grader_has_three_outputs_and_four_probabilities(bundle: Bundle) -> None:
    runtime = EagerRuntime("cpu")
    model, (weights,) = next(bundle.weights())
    head = {"_fc.weight": weights["_fc.weight"][:3].contiguous(), "_fc.bias": torch.tensor([1.0, 0.0, -1.0])}
    runtime.load(model.model_copy(update={"output": "corn", "temperature": 1.5}), [{**weights, **head}])
    with torch.inference_mode():
        outputs = create_filled_network(model.architecture, 3, model.image_size, {**weights, **head})(BATCH)
    expected = to_probabilities(outputs, "corn", 1.5).numpy()
    probabilities = runtime.run(model.key, BATCH).probabilities
    assert probabilities.shape == (3, 4)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def probabilities_of(bundle: Bundle, batch: torch.Tensor, networks: list[int], flips: str = "none") -> np.ndarray:
    """Of the first grader's settings with the weights of these models of the bundle."""
    runtime = EagerRuntime("cpu")
    models = list(bundle.weights())
    runtime.load(models[0][0].model_copy(update={"flips": flips}), [models[n][1][0] for n in networks])
    return runtime.run(models[0][0].key, batch).probabilities


def test_an_ensemble_averages_the_probabilities_of_its_networks(bundle: Bundle) -> None:
    alone = [probabilities_of(bundle, BATCH, [n]) for n in (0, 1, 2)]
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    np.testing.assert_allclose(probabilities_of(bundle, BATCH, [0, 1, 2]), np.mean(alone, axis=0), atol=1e-5)


@pytest.mark.parametrize(("flips", "views"), [("horizontal", [(), (3,)]), ("both", [(), (3,), (2,), (2, 3)])])
def test_flips_average_the_probabilities_of_the_views(bundle: Bundle, flips: str, views: list[tuple[int, ...]]) -> None:
    alone = [probabilities_of(bundle, BATCH.flip(dims), [0]) for dims in views]
    assert np.abs(alone[0] - alone[1]).max() > 0.001
    np.testing.assert_allclose(probabilities_of(bundle, BATCH, [0], flips), np.mean(alone, axis=0), atol=1e-5)


def test_maps_and_features_are_those_of_the_answer_itself(bundle: Bundle) -> None:
    runtime = EagerRuntime("cpu")
    model, (weights,) = next(bundle.weights())
    runtime.load(model.model_copy(update={"temperature": 1.7}), [weights])
    answer = runtime.run(model.key, BATCH, features=True, maps=True)
    assert answer.maps is not None
    assert answer.features is not None
    assert (answer.maps.shape, answer.maps.dtype) == ((3, 4, 2, 2), np.float32)
    pooled = torch.from_numpy(answer.features)
    for logits in (
        torch.from_numpy(answer.maps).mean(dim=(2, 3)) + weights["_fc.bias"],
        torch.nn.functional.linear(pooled, weights["_fc.weight"], weights["_fc.bias"]),
    ):
        np.testing.assert_allclose(answer.probabilities, (logits / 1.7).softmax(dim=1).numpy(), atol=1e-4)


def test_maps_and_features_are_there_when_asked_for(bundle: Bundle) -> None:
    runtime = EagerRuntime("cpu")
    model, networks = next(bundle.weights())
    runtime.load(model, networks)
    answer = runtime.run(model.key, BATCH)
    assert (answer.features, answer.maps) == (None, None)


def test_maps_of_views_are_turned_back_before_they_are_averaged(bundle: Bundle) -> None:
    def answer(batch: torch.Tensor, flips: str, networks: list[int]) -> Answer:
        runtime = EagerRuntime("cpu")
        models = list(bundle.weights())
        runtime.load(models[0][0].model_copy(update={"flips": flips}), [models[n][1][0] for n in networks])
        return runtime.run(models[0][0].key, batch, features=True, maps=True)

    together = answer(BATCH, "horizontal", [0, 1])
    alone = [answer(BATCH, "none", [n]) for n in (0, 1)]
    mirrored = [answer(BATCH.flip(3), "none", [n]) for n in (0, 1)]
    maps = [a.maps for a in alone if a.maps is not None] + [a.maps[..., ::-1] for a in mirrored if a.maps is not None]
    assert together.maps is not None
    np.testing.assert_allclose(together.maps, np.mean(maps, axis=0), atol=1e-4)
    np.testing.assert_allclose(together.features, alone[0].features, atol=1e-5)


def test_weights_that_do_not_fit_are_a_model_error(bundle: Bundle) -> None:
    model, (weights,) = next(bundle.weights())
    with pytest.raises(ModelError, match="failed on cpu"):
        EagerRuntime("cpu").load(model, [{**weights, "_fc.weight": torch.zeros(4, 7)}])


def test_running_out_of_memory_is_told_apart() -> None:
    with pytest.raises(OutOfMemory, match="cpu"):
        guarded("cpu", lambda: torch.empty(2**50))


def test_any_other_failure_of_torch_is_a_model_error() -> None:
    with pytest.raises(ModelError) as failure:
        guarded("cpu", lambda: torch.zeros(2, 3) @ torch.zeros(2, 3))
    assert type(failure.value) is ModelError


def test_a_failed_batch_is_let_go_while_its_error_lives() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def fail() -> None:
        batch = torch.zeros(8)
        held.append(weakref.ref(batch))
        torch.empty(2**50)

    with pytest.raises(OutOfMemory) as failure:
        guarded("cpu", fail)
    gc.collect()
    assert failure.value.__context__ is None
    assert held[0]() is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), OutOfMemory),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), OutOfMemory),
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), DeviceLost),
        (RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be"), DeviceLost),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), DeviceLost),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ModelError),
        (RuntimeError(), ModelError),
    ],
)
def test_torch_s_words_are_understood(error: RuntimeError, kind: type[ModelError]) -> None:
    assert type(translate("cuda", error)) is kind


def test_a_device_that_is_not_there_is_refused() -> None:
    for device in ("cuda:99", "tpu", "meta", "mps"):
        with pytest.raises(DeviceUnavailable, match=device):
            choose_device(device)
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


def test_every_thread_of_torch_s_pool_flushes_denormals() -> None:
    code = """
import sys
import ml.runtimes.eager
import torch
torch.set_num_threads(2)
product = torch.full((4_000_000,), 1e-39) * 1.0
sys.exit(int(product.view(torch.int32).count_nonzero()) > 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_waiting_threads_sleep_rather_than_spin() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-c", "import ml.runtimes.eager"]
    shown = subprocess.run(
        command, env={**environment, "OMP_DISPLAY_ENV": "verbose"}, capture_output=True, text=True, check=True
    ).stderr
    assert "GOMP_SPINCOUNT = '0'" in shown


def test_a_runtime_works_from_another_thread_than_it_was_loaded_in(bundle: Bundle) -> None:
    runtime = EagerRuntime("cpu")
    model, (weights,) = next(bundle.weights())
    runtime.load(model, [weights])
    with ThreadPoolExecutor(1) as thread:
        elsewhere = thread.submit(runtime.run, model.key, BATCH).result().probabilities
    np.testing.assert_allclose(elsewhere, runtime.run(model.key, BATCH).probabilities, atol=1e-5)
