from __future__ import annotations

import pytest
import torch
from efficientnet_pytorch import EfficientNet

from ml.networks.registry import architectures, create_filled_network, create_network, describe, tensor_shapes


def test_the_registry_lists_the_twelve_networks() -> None:
    assert architectures() == (
        *(f"efficientnet-b{n}" for n in range(8)),
        "efficientnet-v2-s",
        "efficientnet-v2-m",
        "efficientnet-v2-l",
        "efficientnet-lite0",
    )


@pytest.mark.parametrize("name", architectures())
def test_every_network_gives_one_logit_a_class(name: str) -> None:
    with torch.device("meta"):
        network = create_network(name, 4, 300)
        logits = network(torch.empty(2, 3, 300, 300))
    assert logits.shape == (2, 4)
    assert not network.training


@pytest.mark.parametrize("name", architectures())
def test_every_network_names_its_head_and_its_defaults(name: str) -> None:
    architecture = describe(name)
    shapes = tensor_shapes(name, 4)
    assert shapes[f"{architecture.head}.weight"][0] == 4
    assert shapes[f"{architecture.head}.bias"] == (4,)
    assert 224 <= architecture.image_size <= 600
    assert len(architecture.mean) == len(architecture.std) == 3
    assert all(0 < value < 1 for value in (*architecture.mean, *architecture.std))


def test_the_defaults_are_those_of_the_published_weights() -> None:
    assert describe("efficientnet-b7").image_size == 600
    assert describe("efficientnet-b0").mean == (0.485, 0.456, 0.406)
    assert describe("efficientnet-v2-s").image_size == 384
    assert describe("efficientnet-v2-l").mean == (0.5, 0.5, 0.5)


def test_an_unknown_network_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match="efficientnet-b7"):
        create_network("efficientnet-b9", 4, 300)


def test_the_padding_is_that_of_the_image_size() -> None:
    # Odd sizes pad differently at every stride, so a network padded for its default size would differ here.
    network = create_network("efficientnet-b0", 4, 75)
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = 1.0
    pictures = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(1))
    network.train()(pictures)
    network.eval()
    dynamic = EfficientNet.from_name("efficientnet-b0", num_classes=4, image_size=None)
    default = create_network("efficientnet-b0", 4, 224)
    dynamic.load_state_dict(network.state_dict())
    default.load_state_dict(network.state_dict())
    with torch.inference_mode():
        logits = network(pictures)
        torch.testing.assert_close(logits, dynamic.eval()(pictures), atol=1e-4, rtol=1e-4)
        assert not torch.allclose(logits, default(pictures), atol=1e-2)


def test_a_filled_network_shares_the_memory_of_its_weights() -> None:
    weights = {name: torch.rand(shape) for name, shape in tensor_shapes("efficientnet-b0", 4).items()}
    network = create_filled_network("efficientnet-b0", 4, 64, weights)
    state = network.state_dict()
    assert all(state[name].data_ptr() == tensor.data_ptr() for name, tensor in weights.items())
    with pytest.raises(RuntimeError, match=r"_fc\.bias"):
        create_filled_network("efficientnet-b0", 4, 64, {n: t for n, t in weights.items() if n != "_fc.bias"})
