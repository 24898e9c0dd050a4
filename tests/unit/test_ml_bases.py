from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from ml.bases import he_uniform, open_base
from ml.registry import tensor_shapes


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
    # Neighbouring tensors come from unrelated streams.
    assert abs(np.corrcoef(values.ravel(), he_uniform((64, 32, 3, 3), 7, "other").ravel())[0, 1]) < 0.03


@pytest.mark.parametrize(
    "name", ["grown:efficientnet-b7", "seeded", "seeded:efficientnet-b0", "seeded:efficientnet-b0:x", "seeded:b9:1", ""]
)
def test_a_name_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"base|architecture"):
        open_base(name)
