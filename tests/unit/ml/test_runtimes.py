from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import ml
from ml.bundle import Bundle
from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory
from ml.labels import GATE, SYMPTOMS
from ml.networks.registry import Network, create_filled_network, tensor_shapes
from ml.outputs import to_probabilities
from ml.parity import measure_parity
from ml.runtimes import Forward, Trunk
from ml.runtimes.choice import available_runtimes, open_runtime
from ml.runtimes.device import call_guarded, choose_device, translate
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.folding import fold_batch_norms
from ml.runtimes.resident import ModelAnswer, ResidentModels

BATCH = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_a_run_gives_probabilities_of_each_class(bundle: Bundle) -> None:
    runtime = ResidentModels(EagerRuntime("cpu"))
    model, networks = next(bundle.networks())
    runtime.load(model, networks)
    probabilities = runtime.run(model.key, BATCH).probabilities
    assert (probabilities.shape, probabilities.dtype) == ((3, 4), np.float32)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert probabilities.min() >= 0


def test_the_temperature_divides_the_logits(bundle: Bundle) -> None:
    cold, warm = ResidentModels(EagerRuntime("cpu")), ResidentModels(EagerRuntime("cpu"))
    model, networks = next(bundle.networks())
    cold.load(model, networks)
    warm.load(model.model_copy(update={"temperature": 2.5}), networks)
    expected = torch.from_numpy(cold.run(model.key, BATCH).probabilities).log().div(2.5).softmax(dim=1).numpy()
    np.testing.assert_allclose(warm.run(model.key, BATCH).probabilities, expected, atol=1e-5)


def test_a_corn_grader_has_three_outputs_and_four_probabilities(bundle: Bundle) -> None:
    runtime = ResidentModels(EagerRuntime("cpu"))
    model, (weights,) = next(bundle.weights())
    head = {"_fc.weight": weights["_fc.weight"][:3].contiguous(), "_fc.bias": torch.tensor([1.0, 0.0, -1.0])}
    network = Network.of(model.architecture, {**weights, **head})
    runtime.load(model.model_copy(update={"output": "corn", "temperature": 1.5}), [network])
    with torch.inference_mode():
        outputs = create_filled_network(model.architecture, 3, model.image_size, {**weights, **head})(BATCH)
    expected = to_probabilities(outputs, "corn", 1.5).numpy()
    probabilities = runtime.run(model.key, BATCH).probabilities
    assert probabilities.shape == (3, 4)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def probabilities_of(bundle: Bundle, batch: torch.Tensor, networks: list[int], flips: str = "none") -> np.ndarray:
    """Of the first grader's settings with the weights of these models of the bundle."""
    runtime = ResidentModels(EagerRuntime("cpu"))
    models = list(bundle.networks())
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
    runtime = ResidentModels(EagerRuntime("cpu"))
    model, (weights,) = next(bundle.weights())
    runtime.load(model.model_copy(update={"temperature": 1.7}), [Network.of(model.architecture, weights)])
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
    runtime = ResidentModels(EagerRuntime("cpu"))
    model, networks = next(bundle.networks())
    runtime.load(model, networks)
    answer = runtime.run(model.key, BATCH)
    assert (answer.features, answer.maps) == (None, None)


def test_maps_of_views_are_turned_back_before_they_are_averaged(bundle: Bundle) -> None:
    def answer(batch: torch.Tensor, flips: str, networks: list[int]) -> ModelAnswer:
        runtime = ResidentModels(EagerRuntime("cpu"))
        models = list(bundle.networks())
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
    misfit = Network.of(model.architecture, {**weights, "_fc.weight": torch.zeros(4, 7)})
    with pytest.raises(ModelError, match="failed on cpu"):
        ResidentModels(EagerRuntime("cpu")).load(model, [misfit])


def test_running_out_of_memory_is_told_apart() -> None:
    with pytest.raises(OutOfMemory, match="cpu"):
        call_guarded("cpu", lambda: torch.empty(2**50))


def test_any_other_failure_of_torch_is_a_model_error() -> None:
    with pytest.raises(ModelError) as failure:
        call_guarded("cpu", lambda: torch.zeros(2, 3) @ torch.zeros(2, 3))
    assert type(failure.value) is ModelError


def test_a_failed_batch_is_let_go_while_its_error_lives() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def fail() -> None:
        batch = torch.zeros(8)
        held.append(weakref.ref(batch))
        torch.empty(2**50)

    with pytest.raises(OutOfMemory) as failure:
        call_guarded("cpu", fail)
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
import ml.runtimes.device
import torch
torch.set_num_threads(2)
product = torch.full((4_000_000,), 1e-39) * 1.0
sys.exit(int(product.view(torch.int32).count_nonzero()) > 0)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_waiting_threads_sleep_rather_than_spin() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-c", "import ml.runtimes.device"]
    shown = subprocess.run(
        command, env={**environment, "OMP_DISPLAY_ENV": "verbose"}, capture_output=True, text=True, check=True
    ).stderr
    assert "GOMP_SPINCOUNT = '0'" in shown


def test_a_runtime_works_from_another_thread_than_it_was_loaded_in(bundle: Bundle) -> None:
    runtime = ResidentModels(EagerRuntime("cpu"))
    model, networks = next(bundle.networks())
    runtime.load(model, networks)
    with ThreadPoolExecutor(1) as thread:
        elsewhere = thread.submit(runtime.run, model.key, BATCH).result().probabilities
    np.testing.assert_allclose(elsewhere, runtime.run(model.key, BATCH).probabilities, atol=1e-5)


class CountingRuntime(EagerRuntime):
    """Counts how often trunks were loaded and run."""

    def __init__(self) -> None:
        super().__init__("cpu")
        self.loaded = 0
        self.passes = 0

    def load(self, trunk: Trunk) -> Forward:
        self.loaded += 1
        forward = super().load(trunk)

        def counted(batch: torch.Tensor) -> torch.Tensor:
            self.passes += 1
            return forward(batch)

        return counted


def test_models_on_one_trunk_have_it_once_and_it_looks_once_at_a_batch(bundle: Bundle) -> None:
    runtime = CountingRuntime()
    models = ResidentModels(runtime)
    model, (weights,) = next(bundle.weights())
    other = {**weights, "_fc.weight": weights["_fc.weight"].flip(0).contiguous()}
    for key, tensors in (("fine_scaling", weights), ("dandruff", other)):
        models.load(model.model_copy(update={"key": key}), [Network.of(model.architecture, tensors)])
    first, second = (models.run(key, BATCH).outputs for key in ("fine_scaling", "dandruff"))
    assert (runtime.loaded, runtime.passes) == (1, 1)
    bias = weights["_fc.bias"].numpy()
    np.testing.assert_allclose(second - bias, (first - bias)[..., ::-1], atol=1e-5)
    models.run("dandruff", BATCH.clone())
    assert runtime.passes == 2
    models.forget()
    models.run("dandruff", BATCH)
    assert runtime.passes == 3


def test_a_bundle_says_which_networks_share_a_trunk(bundle: Bundle) -> None:
    digests = [networks[0].digest for _, networks in bundle.networks()]
    assert len(set(digests)) == 7
    demo = Bundle.open(Path(ml.__file__).parent / "bundles" / "demo")
    shared = {model.key: networks[0].digest for model, networks in demo.networks()}
    assert len({shared[symptom.key] for symptom in SYMPTOMS}) == 1
    assert shared[GATE.key] != shared[SYMPTOMS[0].key]


@pytest.mark.parametrize("architecture", ["efficientnet-b0", "efficientnet-lite0", "efficientnet-v2-s"])
def test_folded_batch_norms_compute_the_same(architecture: str) -> None:
    generator = torch.Generator().manual_seed(2)
    weights = {
        name: torch.rand(shape, generator=generator) + 0.5
        if name.endswith(("running_var", "bn.weight"))
        else torch.randn(shape, generator=generator) * 0.1
        for name, shape in tensor_shapes(architecture, 4).items()
    }
    network = create_filled_network(architecture, 4, 64, weights)
    expected = network(BATCH)
    fold_batch_norms(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    torch.testing.assert_close(network(BATCH), expected, atol=1e-4, rtol=1e-3)


def test_a_runtime_that_does_not_fit_the_device_is_refused() -> None:
    for name in ("graphs", "onnx"):
        with pytest.raises(DeviceUnavailable, match=name):
            open_runtime(name, "cpu")
    assert open_runtime("auto", "cpu").name == "openvino"
    assert open_runtime("eager", "cpu").precision == "float32"


def test_the_runtimes_of_this_machine_change_no_grade_of_the_demo() -> None:
    demo = Bundle.open(Path(ml.__file__).parent / "bundles" / "demo")
    # The others are compared with eager torch on the CPU.
    others = [one for one in map(open_runtime, available_runtimes()) if (one.name, one.device) != ("eager", "cpu")]
    if not others:
        pytest.skip("no runtime but eager torch runs here")
    for runtime in others:
        parity = measure_parity(demo, runtime, pictures=4)
        assert parity.changed == 0
        assert parity.largest < (1e-4 if parity.precision == "float32" else 0.05)


def test_parity_sees_a_runtime_that_computes_something_else(bundle: Bundle) -> None:
    class Mirrored(EagerRuntime):
        def load(self, trunk: Trunk) -> Forward:
            forward = super().load(trunk)
            return lambda batch: forward(batch.flip(3))

    parity = measure_parity(bundle, Mirrored("cpu"), pictures=8)
    assert parity.largest > 0.01
    assert parity.changed > 0
