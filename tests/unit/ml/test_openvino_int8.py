from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from ml.bundle import Bundle, write_bundle
from ml.bundle.manifest import ModelSettings, Provenance, classes_of
from ml.cli import main
from ml.data.synthetic import draw_scalp, scalp_picture
from ml.errors import DeviceUnavailable, ModelError
from ml.labels import GATE, MODEL_KEYS
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import Network, Weights, describe
from ml.parity import SEEDS, load_models, require_parity
from ml.predictor import Predictor
from ml.preprocessing import Preprocessing, prepare
from ml.runtimes import Runtime, Trunk
from ml.runtimes.cache import Cache
from ml.runtimes.choice import int8_available, open_runtime
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.openvino import OpenVinoRuntime
from tests.support.environment import ROOT

# Found and not imported: it would set up logging in its own way for all tests.
if find_spec("nncf") is None:
    pytest.skip("NNCF is not made for this platform", allow_module_level=True)

from ml.runtimes.openvino_int8 import OpenVinoInt8Runtime

LITE = describe("efficientnet-lite0")
PREPARATION = Preprocessing(64, LITE.mean, LITE.std)
WIDTH = 1280


@pytest.fixture(scope="module")
def trunk_weights() -> Weights:
    return {name: tensor for name, tensor in imagenet_weights().items() if not name.startswith("_fc.")}


@pytest.fixture(scope="module")
def trunk(trunk_weights: Weights) -> Trunk:
    """EfficientNet-lite0 as ImageNet taught it, at 64 pixels."""
    head = {"_fc.weight": torch.zeros(4, WIDTH), "_fc.bias": torch.zeros(4)}
    return Trunk(LITE.name, 4, PREPARATION, 64, Network.of(LITE.name, {**trunk_weights, **head}))


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    return torch.stack([prepare(scalp_picture(seed), {PREPARATION}).tensors[PREPARATION] for seed in SEEDS])


@pytest.fixture(scope="module")
def features(trunk: Trunk, photos: torch.Tensor) -> torch.Tensor:
    """What eager torch sees in float32, `[n, width]`."""
    return pooled(EagerRuntime("cpu"), trunk, photos)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Shared by all tests here, as a machine's is by all starts: quantizing is slow."""
    return Cache(tmp_path_factory.mktemp("cache"))


def pooled(runtime: Runtime, trunk: Trunk, photos: torch.Tensor) -> torch.Tensor:
    return runtime.load(trunk)(photos).float().mean(dim=(2, 3))


Head = tuple[torch.Tensor, torch.Tensor]
STEADY: Head = (torch.zeros(4, WIDTH), torch.arange(4.0))


def bundle_of(folder: Path, trunk_weights: Weights, graders: Head, gate: Head | None = None) -> Bundle:
    """Seven models on one trunk, the graders with one head. Without one of its own the gate lets every photo pass."""

    def model(key: str) -> tuple[ModelSettings, Weights]:
        classes = classes_of(key)[0]
        closed = key == GATE.key and gate is not None
        weight, bias = gate if closed else graders
        settings = ModelSettings(
            key=key, architecture=LITE.name, image_size=64, mean=LITE.mean, std=LITE.std, classes=classes,
            base=f"file:{LITE.name}:trunk.safetensors", threshold=0.5 if closed else 0.0,
        )  # fmt: skip
        return settings, {"_fc.weight": weight[:classes].clone(), "_fc.bias": bias[:classes].clone()}

    facts = Provenance(name="test", version="1", licence="None", trained_on="Nothing", demo=True)
    return write_bundle(folder, facts, map(model, MODEL_KEYS), {"trunk.safetensors": trunk_weights})


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory, trunk_weights: Weights) -> Bundle:
    """Its graders say the same of every photo."""
    return bundle_of(tmp_path_factory.mktemp("bundles") / "steady", trunk_weights, STEADY)


@pytest.fixture(scope="module")
def unseen(features: torch.Tensor) -> torch.Tensor:
    """Weights `[4, width]` that see nothing of the photos of parity but what a runtime adds to them."""
    random = torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(3))
    return random - random @ torch.linalg.pinv(features) @ features


@pytest.fixture(scope="module")
def fickle(tmp_path_factory: pytest.TempPathFactory, trunk_weights: Weights, unseen: torch.Tensor) -> Bundle:
    """In float32 its graders say 0 of every photo of parity."""
    folder = tmp_path_factory.mktemp("bundles") / "fickle"
    return bundle_of(folder, trunk_weights, (unseen, torch.tensor([0.05, 0, 0, 0])))


def test_a_quantized_trunk_sees_nearly_the_same_in_a_third_of_the_size(
    trunk: Trunk,
    photos: torch.Tensor,
    features: torch.Tensor,
    cache: Cache,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    found = pooled(OpenVinoInt8Runtime(cache), trunk, photos)
    assert 1e-3 < float((found - features).norm() / features.norm()) < 0.3
    assert capfd.readouterr().out == ""
    pooled(OpenVinoRuntime(Cache(tmp_path)), trunk, photos[:1])
    whole, small = (max(path.stat().st_size for path in folder.iterdir()) for folder in (tmp_path, cache.folder))
    assert small < whole / 2.5


def test_a_second_start_quantizes_nothing_and_compares_nothing(
    steady: Bundle, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = OpenVinoInt8Runtime(cache)
    require_parity(steady, load_models(steady, runtime), cache)
    kept = {path: path.stat().st_ino for path in cache.folder.iterdir()}
    caplog.set_level(logging.INFO)
    runtime = OpenVinoInt8Runtime(cache)
    require_parity(steady, load_models(steady, runtime), cache)
    assert not any("quantized" in record.message for record in caplog.records)
    assert {path: path.stat().st_ino for path in cache.folder.iterdir()} == kept


def test_a_bundle_whose_grades_hold_is_served(
    steady: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SCALP_CACHE", str(cache.folder))
    caplog.set_level(logging.INFO)
    predictor = Predictor(steady, "cpu", "openvino-int8")
    assert (predictor.runtime, predictor.precision) == ("openvino-int8", "int8")
    assert any("openvino-int8 changes 0.0 % of the grades" in record.message for record in caplog.records)
    (prediction,) = predictor.predict([predictor.prepare(draw_scalp(1, (0,) * 6))])
    assert prediction is not None
    assert [finding.grade for finding in prediction.findings] == [3] * 6


def test_a_bundle_whose_grades_change_is_refused_even_on_the_second_load(
    fickle: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCALP_CACHE", str(cache.folder))
    for _ in range(2):
        with pytest.raises(ModelError, match=r"[1-9]\d\.\d% of the grades of bundle test@1 .* Use the runtime auto"):
            Predictor(fickle, "cpu", "openvino-int8")
    assert Predictor(fickle, "cpu", "auto").runtime == "openvino"


def test_a_bundle_whose_gate_decides_otherwise_is_refused_as_well(
    trunk_weights: Weights, unseen: torch.Tensor, cache: Cache, tmp_path: Path
) -> None:
    gate = (unseen[:2], torch.tensor([0, 0.05]))
    torn = bundle_of(tmp_path / "torn", trunk_weights, STEADY, gate)
    runtime = OpenVinoInt8Runtime(cache)
    with pytest.raises(ModelError, match=r" 0\.0% of the grades .* [1-9]\d*\.\d% of its gate's decisions, on 24"):
        require_parity(torn, load_models(torn, runtime), cache)


def test_a_damaged_comparison_is_made_anew(fickle: Bundle, tmp_path: Path, cache: Cache) -> None:
    shutil.copytree(cache.folder, tmp_path, dirs_exist_ok=True)
    runtime = OpenVinoInt8Runtime(Cache(tmp_path))
    models = load_models(fickle, runtime)
    with pytest.raises(ModelError):
        require_parity(fickle, models, Cache(tmp_path))
    (kept,) = [path for path in tmp_path.iterdir() if b'"changed"' in path.read_bytes()[:1000] and fickled(path)]
    kept.write_bytes(b"{")
    with pytest.raises(ModelError, match="of the grades"):
        require_parity(fickle, models, Cache(tmp_path))
    assert fickled(kept)


def fickled(path: Path) -> bool:
    """Whether this is a comparison in which grades changed."""
    return float(json.loads(path.read_bytes())["changed"]) > 0.1


def test_info_reports_parity_in_8_bits(
    steady: Bundle, cache: Cache, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCALP_CACHE", str(cache.folder))
    assert main(["bundle", "info", str(steady.folder), "--parity", "--json"]) == 0
    parities = {parity["runtime"]: parity for parity in json.loads(capsys.readouterr().out)["parity"]}
    assert parities["openvino-int8"]["precision"] == "int8"
    assert (parities["openvino-int8"]["changed"], parities["openvino-int8"]["turned"]) == (0, 0)


def test_only_who_asks_for_8_bits_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_runtime("openvino-int8", "cpu").precision == "int8"
    assert open_runtime("auto", "cpu").precision != "int8"
    monkeypatch.setitem(sys.modules, "nncf", None)
    assert not int8_available("cpu")
    with pytest.raises(DeviceUnavailable, match=r"pip install -r requirements/quantised\.txt"):
        open_runtime("openvino-int8", "cpu")


def test_a_network_that_cannot_be_quantized_is_refused_with_the_cause(
    trunk: Trunk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "nncf.py").write_text("raise ImportError('this NNCF is damaged')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelError, match=r"could not be quantized: .*this NNCF is damaged.* Use the runtime auto"):
        OpenVinoInt8Runtime(Cache(tmp_path / "cache")).load(trunk)
    assert "Traceback" in caplog.text
    assert not (tmp_path / "cache").exists()


def test_quantizing_ends_and_leaves_nothing_when_whoever_asked_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    paths = [str(folder / name) for name in ("network.xml", "photos.npy", "quantized.xml")]
    os.mkfifo(paths[1])  # It would wait here forever.
    command = [sys.executable, "-m", "ml.runtimes.quantize", *paths]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(120) == 1
    assert not folder.exists()


def test_nncf_tells_nobody_and_stays_out_of_the_process_that_answers() -> None:
    telling = """
import ml.runtimes.quantize
from nncf.telemetry import telemetry
assert type(telemetry).__name__ == "MagicMock"
"""
    answering = """
import sys
import ml.runtimes.openvino_int8
assert "nncf" not in sys.modules
"""
    for code in (telling, answering):
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
