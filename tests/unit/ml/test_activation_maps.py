from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ml.activation_maps import class_maps, map_of_grade, map_on_photo, overlay
from ml.build.from_seeds import seeded_model
from ml.bundle.bases import open_base
from ml.networks.registry import IMAGENET_MEAN, IMAGENET_STD, create_filled_network, describe
from ml.preprocessing import Preprocessing

MAPS = np.array([[[1.0]], [[10.0]], [[100.0]]], dtype=np.float32)
CORNER = np.array([[0, 0], [0, 1]], dtype=np.float32)


@pytest.mark.parametrize("architecture", ["efficientnet-b0", "efficientnet-v2-s", "efficientnet-lite0"])
def test_the_mean_of_a_map_and_the_bias_are_the_logit(architecture: str) -> None:
    batch = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    model, delta = seeded_model(
        "dandruff",
        architecture=architecture,
        seed=3,
        preprocessing=Preprocessing(64, IMAGENET_MEAN, IMAGENET_STD),
        pictures=batch,
        threshold=0.0,
    )
    assert model.base is not None
    weights = {name: tensor.float() for name, tensor in {**open_base(model.base).weights(), **delta}.items()}
    network = create_filled_network(architecture, 4, 64, weights)
    with torch.inference_mode():
        logits, seen = network(batch), describe(architecture).features(network, batch)
        maps = class_maps(seen, weights[f"{describe(architecture).head}.weight"])
    assert maps.shape == (3, 4, 2, 2)
    assert maps.std() > 0.1
    recovered = maps.mean(dim=(2, 3)) + weights[f"{describe(architecture).head}.bias"]
    torch.testing.assert_close(recovered, logits, atol=1e-4, rtol=0)


def test_a_softmax_grade_has_a_map_of_its_own() -> None:
    assert [float(map_of_grade(MAPS, grade, "softmax")[0, 0]) for grade in range(3)] == [1, 10, 100]


def test_a_corn_map_adds_passed_thresholds_and_subtracts_the_next_one() -> None:
    assert [float(map_of_grade(MAPS, grade, "corn")[0, 0]) for grade in range(4)] == [-1, 1 - 10, 11 - 100, 111]


def test_the_most_of_a_map_lies_yellow_where_it_was_seen() -> None:
    drawn = np.asarray(overlay(Image.new("RGB", (80, 40), (120, 120, 120)), CORNER, "stretch")).astype(int)
    assert drawn.shape == (40, 80, 3)
    yellow = drawn[..., 0] - drawn[..., 2]
    assert np.unravel_index(yellow.argmax(), yellow.shape) >= (20, 40)
    assert yellow[-1, -1] > 60
    assert yellow[0, 0] < 0


def test_after_a_crop_the_edges_that_the_model_did_not_see_stay_gray() -> None:
    drawn = np.asarray(overlay(Image.new("RGB", (80, 40), (200, 30, 30)), CORNER, "crop")).astype(int)
    colored = np.ptp(drawn, axis=2) > 0
    assert not colored[:, :20].any()
    assert not colored[:, 60:].any()
    assert colored[:, 20:60].mean() > 0.9


@pytest.mark.parametrize("aspect", ["stretch", "crop"])
def test_a_map_that_is_the_same_everywhere_is_drawn_too(aspect: str) -> None:
    drawn = np.asarray(overlay(Image.new("RGB", (40, 40)), np.full((2, 2), 3.0, np.float32), aspect))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 1


def test_a_kept_map_goes_from_nothing_to_all_over_the_whole_photo() -> None:
    kept = map_on_photo(CORNER, "stretch", (640, 480), 16)
    assert (kept.shape, kept.dtype) == ((16, 16), np.uint8)
    assert (kept.min(), kept.max()) == (0, 255)
    assert kept[-1, -1] == 255
    assert not map_on_photo(np.full((2, 2), 3.0, np.float32), "stretch", (640, 480), 16).any()


@pytest.mark.parametrize(("size", "seen"), [((640, 320), np.s_[:, 4:12]), ((320, 640), np.s_[4:12, :])])
def test_a_kept_map_is_empty_where_a_crop_let_the_model_see_nothing(
    size: tuple[int, int], seen: tuple[slice, slice]
) -> None:
    kept = map_on_photo(CORNER, "crop", size, 16)
    assert kept[seen].max() == 255
    kept[seen] = 0
    assert not kept.any()
