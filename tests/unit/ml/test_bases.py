from __future__ import annotations

import hashlib
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ml.bundle.bases import file_of, open_base
from ml.data.synthetic import scalp_picture
from ml.errors import WeightsUnreadable
from ml.networks import imagenet
from ml.networks.growth import grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import Weights, create_filled_network, describe, tensor_shapes
from ml.networks.seeded import he_uniform
from ml.preprocessing import Preprocessing, to_tensor


def digest(name: str) -> str:
    sha256 = hashlib.sha256()
    for tensor_name, tensor in open_base(name).weights().items():
        sha256.update(tensor_name.encode() + tensor.numpy().astype("<f4").tobytes())
    return sha256.hexdigest()


def test_a_seeded_base_is_the_same_to_the_last_bit_for_ever() -> None:
    # Delta files in the repository build on these bits: if this digest moves, every such bundle is worthless.
    assert digest("seeded:efficientnet-b0:1") == "935a721af9b27c0ad80ffaafd732ec8c939004f31ca3b9db9d761302372bac8f"


def test_another_seed_is_another_base() -> None:
    first, second = (open_base(f"seeded:efficientnet-b0:{seed}").weights() for seed in (1, 2))
    assert first.keys() == second.keys()
    assert not torch.equal(first["_conv_stem.weight"], second["_conv_stem.weight"])


@pytest.mark.parametrize("architecture", ["efficientnet-b0", "efficientnet-v2-s"])
def test_a_seeded_base_is_the_whole_network_but_the_head(architecture: str) -> None:
    base = open_base(f"seeded:{architecture}:3")
    weights = base.weights()
    assert {name: tuple(tensor.shape) for name, tensor in weights.items()} == base.shapes
    assert {name.rpartition(".")[0] for name in tensor_shapes(architecture, 4).keys() - weights.keys()} in (
        {"_fc"},
        {"classifier.1"},
    )
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())


def test_weights_are_uniform_with_the_variance_of_he() -> None:
    values = he_uniform((64, 32, 3, 3), 7, "some.weight")
    bound = np.sqrt(6 / (32 * 9))
    assert np.abs(values).max() <= bound
    assert np.abs(values).max() > 0.999 * bound
    assert values.var() == pytest.approx(2 / (32 * 9), rel=0.02)
    assert abs(values.mean()) < 0.01 * bound
    # Neighboring tensors come from unrelated streams.
    assert abs(np.corrcoef(values.ravel(), he_uniform((64, 32, 3, 3), 7, "other").ravel())[0, 1]) < 0.03


@pytest.mark.parametrize(
    "name",
    [
        "grown:efficientnet-b7",
        "grown:efficientnet-b7:../trunk.safetensors",
        "grown:efficientnet-b7:trunk.pt",
        "grown:efficientnet-b7:trunk.safetensors",
        "grown:efficientnet-b2:imagenet",
        "grown:resnet50:imagenet",
        "seeded",
        "seeded:efficientnet-b0",
        "seeded:efficientnet-b0:x",
        "seeded:b9:1",
        "",
    ],
)
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"base|architecture"):
        open_base(name)


def features_of(architecture: str, weights: Weights, pictures: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return create_filled_network(architecture, 1000, 64, weights)(pictures)


def test_b7_on_the_imagenet_base_says_what_lite0_says() -> None:
    expects = describe("efficientnet-lite0")
    spec = Preprocessing(64, expects.mean, expects.std)
    pictures = torch.stack([to_tensor(scalp_picture(seed), spec) for seed in range(2)])
    lite = imagenet_weights()
    head = {name: tensor for name, tensor in grow(lite, "efficientnet-b7").items() if name.startswith("_fc.")}
    grown = open_base("grown:efficientnet-b7:imagenet").weights()
    assert not head.keys() & grown.keys()
    logits = features_of("efficientnet-lite0", lite, pictures)
    larger = features_of("efficientnet-b7", {**grown, **head}, pictures)
    assert (logits - larger).abs().max() < 0.1 * logits.std()


def test_a_base_grown_from_a_file_has_the_values_of_the_file(tmp_path: Path) -> None:
    lite = {name: tensor for name, tensor in imagenet_weights().items() if not name.startswith("_fc.")}
    save_file({name: tensor.half().contiguous() for name, tensor in lite.items()}, tmp_path / "trunk.safetensors")
    base = open_base("grown:efficientnet-b0:trunk.safetensors", tmp_path)
    weights = base.weights()
    assert {name: tuple(tensor.shape) for name, tensor in weights.items()} == base.shapes
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    name = "_blocks.0._depthwise_conv.weight"
    expected = open_base("grown:efficientnet-b0:imagenet").weights()[name]
    torch.testing.assert_close(weights[name], expected, rtol=2e-3, atol=1e-6)


def test_only_a_base_that_lies_in_the_bundle_has_a_file() -> None:
    assert file_of("grown:efficientnet-b7:trunk.safetensors") == "trunk.safetensors"
    assert file_of("grown:efficientnet-b7:imagenet") is None
    assert file_of("seeded:efficientnet-b7:1") is None


def test_without_the_training_role_the_imagenet_base_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(imagenet, "find_spec", nothing)
    with pytest.raises(WeightsUnreadable, match=r"requirements/training\.txt"):
        open_base("grown:efficientnet-b7:imagenet").weights()
