"""Bundles from weights of elsewhere, written by torch as earlier systems wrote them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from efficientnet_pytorch import EfficientNet
from PIL import Image
from safetensors.torch import save_file

from ml.build.foreign_weights import read_foreign, recognize
from ml.build.from_foreign import ImportOptions, find_weights, import_bundle
from ml.bundle.manifest import Provenance
from ml.data.synthetic import scalp_picture
from ml.errors import BundleInvalid, WeightsUnreadable
from ml.labels import MODEL_KEYS, SYMPTOMS
from ml.networks.registry import IMAGENET_MEAN, IMAGENET_STD, architectures, tensor_shapes
from ml.predictor import Predictor
from ml.preprocessing import Preprocessing, to_tensor

GRADERS = [symptom.key for symptom in SYMPTOMS]
PROVENANCE = Provenance(name="own", version="3", licence="Ours", trained_on="Our pictures.", demo=False)


def trained_network(classes: int, image_size: int = 64) -> EfficientNet:
    """A B0 with statistics of its own, as a training run leaves it."""
    with torch.random.fork_rng():
        torch.manual_seed(classes)
        network = EfficientNet.from_name("efficientnet-b0", num_classes=classes, image_size=image_size)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            network.train()(torch.randn(4, 3, image_size, image_size))
    return network.eval()


@pytest.fixture(scope="module")
def grader() -> EfficientNet:
    return trained_network(4)


@pytest.fixture(scope="module")
def gate_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gate") / "gate.pth"
    torch.save(trained_network(2).state_dict(), path)
    return path


def save_plain(network: EfficientNet, path: Path) -> None:
    torch.save(network.state_dict(), path)


def save_checkpoint(network: EfficientNet, path: Path) -> None:
    torch.save({"epoch": 20, "model": network.state_dict(), "loss": 0.7}, path)


def save_parallel(network: EfficientNet, path: Path) -> None:
    state = OrderedDict((f"module.{name}", tensor) for name, tensor in network.state_dict().items())
    torch.save({"state_dict": state}, path)


def save_half(network: EfficientNet, path: Path) -> None:
    torch.save({name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}, path)


def save_whole(network: EfficientNet, path: Path) -> None:
    torch.save(network, path)


def save_whole_parallel(network: EfficientNet, path: Path) -> None:
    torch.save({"net": torch.nn.DataParallel(network)}, path)


@pytest.mark.parametrize(
    ("save", "pickled"),
    [
        (save_plain, False),
        (save_checkpoint, False),
        (save_parallel, False),
        (save_half, False),
        (save_whole, True),
        (save_whole_parallel, True),
    ],
)
def test_every_way_of_saving_a_network_is_read(save: Any, pickled: bool, grader: EfficientNet, tmp_path: Path) -> None:
    path = tmp_path / "grader.pt"
    save(grader, path)
    if pickled:
        with pytest.raises(WeightsUnreadable, match="--allow-pickle"):
            read_foreign(path)
    foreign = read_foreign(path, allow_pickle=pickled)
    assert (foreign.architecture, foreign.classes) == ("efficientnet-b0", 4)
    assert foreign.padding_size == (64 if pickled else None)
    assert foreign.weights.keys() == tensor_shapes("efficientnet-b0", 4).keys()
    for name, tensor in foreign.weights.items():
        torch.testing.assert_close(tensor, grader.state_dict()[name], atol=1e-2, rtol=1e-2)


def test_safetensors_are_read_too(grader: EfficientNet, tmp_path: Path) -> None:
    save_file(grader.state_dict(), tmp_path / "grader.safetensors")
    assert read_foreign(tmp_path / "grader.safetensors").architecture == "efficientnet-b0"


@pytest.mark.parametrize("architecture", architectures())
def test_every_architecture_is_recognized_by_its_shapes(architecture: str) -> None:
    shapes = tensor_shapes(architecture, 5)
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    assert recognize(Path("weights.pt"), weights) == (architecture, 5)


class Touch:
    """Unpickling this creates a file: what a malicious pickle could do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    torch.save({"model": Touch(tmp_path / "owned")}, tmp_path / "grader.pt")
    with pytest.raises(WeightsUnreadable, match="--allow-pickle"):
        read_foreign(tmp_path / "grader.pt")
    assert not (tmp_path / "owned").exists()
    with pytest.raises(WeightsUnreadable, match="neither a state dict nor a network"):
        read_foreign(tmp_path / "grader.pt", allow_pickle=True)
    assert (tmp_path / "owned").exists()


@pytest.mark.parametrize("allow_pickle", [False, True])
def test_what_holds_no_known_network_is_refused(allow_pickle: bool, tmp_path: Path) -> None:
    def refused(name: str, says: str) -> None:
        with pytest.raises(WeightsUnreadable, match=says):
            read_foreign(tmp_path / name, allow_pickle=allow_pickle)

    (tmp_path / "noise.pt").write_bytes(b"noise")
    (tmp_path / "noise.safetensors").write_bytes(b"noise")
    (tmp_path / "weights.h5").write_bytes(b"noise")
    torch.save({"fc.weight": torch.zeros(4, 8)}, tmp_path / "other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    refused("noise.pt", "cannot be unpickled" if allow_pickle else "damaged")
    refused("noise.safetensors", "cannot be read as a safetensors file")
    refused("weights.h5", "end in")
    refused("other.pt", "match none of")
    refused("list.pt", "list")
    refused("gone.pt", "no such file")


def test_imported_models_answer_as_the_networks_they_came_from(
    grader: EfficientNet, gate_file: Path, tmp_path: Path
) -> None:
    torch.save(grader, tmp_path / "whole.pt")
    files = {**dict.fromkeys(GRADERS, tmp_path / "whole.pt"), "scalp_gate": gate_file}
    options = ImportOptions(allow_pickle=True, image_size=64, gate_threshold=0.0)
    bundle = import_bundle(tmp_path / "bundle", files, PROVENANCE, options)
    assert (bundle.reference, bundle.demo, bundle.manifest.licence) == ("own@3", False, "Ours")
    predictor = Predictor(bundle, "cpu", "eager")
    (prediction,) = predictor.predict([predictor.prepare(scalp_picture(1))])
    picture = to_tensor(scalp_picture(1), Preprocessing(64, IMAGENET_MEAN, IMAGENET_STD))[None]
    with torch.inference_mode():
        expected = grader(picture).softmax(dim=1)[0].tolist()
    assert prediction is not None
    for finding in prediction.findings:
        assert finding.probabilities == pytest.approx(expected, abs=1e-4)


def test_a_gate_of_three_classes_may_be_imported(grader: EfficientNet, tmp_path: Path) -> None:
    torch.save(grader, tmp_path / "whole.pt")
    torch.save(trained_network(3).state_dict(), tmp_path / "gate.pth")
    files = {**dict.fromkeys(GRADERS, tmp_path / "whole.pt"), "scalp_gate": tmp_path / "gate.pth"}
    options = ImportOptions(allow_pickle=True, image_size=64, gate_threshold=1.01)
    bundle = import_bundle(tmp_path / "bundle", files, PROVENANCE, options)
    assert bundle.model("scalp_gate").classes == 3
    predictor = Predictor(bundle, "cpu", "eager")
    (prediction,) = predictor.predict([predictor.prepare(scalp_picture(1))])
    assert prediction is not None
    assert prediction.rejection in {"not_a_scalp", "too_far"}


def test_a_network_used_at_another_size_keeps_its_padding(gate_file: Path, tmp_path: Path) -> None:
    # At 75 pixels the padding for 75 and that for 224 differ at nearly every stride.
    network = trained_network(4, image_size=224)
    torch.save(network, tmp_path / "whole.pt")
    files = {**dict.fromkeys(GRADERS, tmp_path / "whole.pt"), "scalp_gate": gate_file}
    options = ImportOptions(allow_pickle=True, image_size=75, gate_threshold=0.0)
    bundle = import_bundle(tmp_path / "bundle", files, PROVENANCE, options)
    assert (bundle.model("dandruff").image_size, bundle.model("dandruff").padding_size) == (75, 224)
    predictor = Predictor(bundle, "cpu", "eager")
    (prediction,) = predictor.predict([predictor.prepare(scalp_picture(1))])
    picture = to_tensor(scalp_picture(1), Preprocessing(75, IMAGENET_MEAN, IMAGENET_STD))[None]
    with torch.inference_mode():
        expected = network(picture).softmax(dim=1)[0].tolist()
    assert prediction is not None
    assert prediction.findings[0].probabilities == pytest.approx(expected, abs=1e-4)


def test_the_image_size_is_the_network_s_own_else_the_architecture_s(
    grader: EfficientNet, gate_file: Path, tmp_path: Path
) -> None:
    torch.save(grader, tmp_path / "whole.pt")
    files = {**dict.fromkeys(GRADERS, tmp_path / "whole.pt"), "scalp_gate": gate_file}
    bundle = import_bundle(tmp_path / "bundle", files, PROVENANCE, ImportOptions(allow_pickle=True))
    assert bundle.model("dandruff").image_size == 64
    assert bundle.model("scalp_gate").image_size == 224
    assert {model.padding_size for model in bundle.manifest.models} == {None}


def test_a_missing_gate_has_to_be_wanted_and_is_told(grader: EfficientNet, tmp_path: Path) -> None:
    torch.save(grader.state_dict(), tmp_path / "grader.pt")
    files = dict.fromkeys(GRADERS, tmp_path / "grader.pt")
    with pytest.raises(BundleInvalid, match="--gate-passes-all"):
        import_bundle(tmp_path / "bundle", files, PROVENANCE, ImportOptions(image_size=64))
    options = ImportOptions(image_size=64, gate_passes_all=True)
    bundle = import_bundle(tmp_path / "bundle", files, PROVENANCE, options)
    assert bundle.manifest.trained_on.startswith("Our pictures. There is no gate")
    assert bundle.model("scalp_gate").threshold == 0
    predictor = Predictor(bundle, "cpu", "eager")
    (prediction,) = predictor.predict([predictor.prepare(scalp_picture(1))])
    assert prediction is not None
    assert prediction.is_scalp
    assert prediction.scalp_probability == 0.5
    (dark,) = predictor.predict([predictor.prepare(Image.new("RGB", (300, 300)))])
    assert dark is not None
    assert dark.rejection in ("too_dark", "too_bright", "too_blurred")
    assert f"every photo that is not {dark.rejection.replace('_', ' ')}," in bundle.manifest.trained_on


def test_a_missing_grader_or_a_wrong_number_of_classes_is_refused(
    grader: EfficientNet, gate_file: Path, tmp_path: Path
) -> None:
    torch.save(grader.state_dict(), tmp_path / "grader.pt")
    files = dict.fromkeys(MODEL_KEYS, tmp_path / "grader.pt")
    with pytest.raises(WeightsUnreadable, match="scalp_gate needs 2"):
        import_bundle(tmp_path / "bundle", files, PROVENANCE, ImportOptions())
    with pytest.raises(WeightsUnreadable, match="dandruff needs 4"):
        import_bundle(tmp_path / "bundle", {**files, "dandruff": gate_file}, PROVENANCE, ImportOptions())
    del files["dandruff"]
    with pytest.raises(BundleInvalid, match="no file for dandruff"):
        import_bundle(tmp_path / "bundle", files, PROVENANCE, ImportOptions())
    assert not (tmp_path / "bundle").exists()


def test_files_are_found_by_key_or_by_number(tmp_path: Path) -> None:
    for name in ("aram_model1.pt", "aram_model2.pth", "dandruff.safetensors", "notes.txt", "readme6", "run12.pt"):
        (tmp_path / name).touch()
    assert find_weights(tmp_path) == {
        "fine_scaling": tmp_path / "aram_model1.pt",
        "excess_sebum": tmp_path / "aram_model2.pth",
        "dandruff": tmp_path / "dandruff.safetensors",
    }
    (tmp_path / "model5.pt").touch()
    with pytest.raises(WeightsUnreadable, match="Both"):
        find_weights(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsUnreadable, match="No file"):
        find_weights(tmp_path / "empty")
    with pytest.raises(WeightsUnreadable, match="not a folder"):
        find_weights(tmp_path / "gone")
