"""Growth: a larger network computes what EfficientNet-lite0 computed."""

from __future__ import annotations

import pytest
import torch

from ml.data.synthetic import draw_non_scalp, draw_scalp
from ml.networks.growth import copies_in, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import create_filled_network, describe
from ml.preprocessing import Preprocessing, to_tensor

LITE = describe("efficientnet-lite0")
SPEC = Preprocessing(128, LITE.mean, LITE.std)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Two scalps, grass and shapes. On even frames the two differ more: by up to an eighth of the spread."""
    drawn = [draw_scalp(4, (1, 2, 0, 3, 1, 0)), draw_scalp(9, (0,) * 6), draw_non_scalp(3), draw_non_scalp(5)]
    return torch.stack([to_tensor(picture, SPEC) for picture in drawn])


def logits(architecture: str, weights: dict[str, torch.Tensor], pictures: torch.Tensor) -> torch.Tensor:
    network = create_filled_network(architecture, 1000, SPEC.image_size, weights)
    with torch.inference_mode():
        return network(pictures)


def test_b7_grown_from_lite0_says_what_lite0_says(pictures: torch.Tensor) -> None:
    lite = dict(imagenet_weights())
    wanted = logits("efficientnet-lite0", lite, pictures)
    grown = logits("efficientnet-b7", dict(grow(lite, "efficientnet-b7")), pictures)
    assert (grown - wanted).abs().max() < 0.03 * wanted.std()
    assert torch.equal(grown.argmax(dim=1), wanted.argmax(dim=1))


def test_a_softer_growth_is_farther_from_lite0(pictures: torch.Tensor) -> None:
    lite = dict(imagenet_weights())
    wanted = logits("efficientnet-lite0", lite, pictures)
    off = [
        float(
            (logits("efficientnet-b7", dict(grow(lite, "efficientnet-b7", sharpness)), pictures) - wanted).abs().max()
        )
        for sharpness in (64.0, 4.0)
    ]
    assert off[0] < off[1] / 10


def test_lite0_grows_into_what_has_its_widths_once_or_twice() -> None:
    found = {name: copies_in(f"efficientnet-{name}") for name in ("b0", "b1", "b2", "b6", "b7", "v2-s", "lite0")}
    assert found == {"b0": 1, "b1": 1, "b2": None, "b6": None, "b7": 2, "v2-s": None, "lite0": None}
    with pytest.raises(ValueError, match="can't grow into efficientnet-b3"):
        grow({}, "efficientnet-b3")
