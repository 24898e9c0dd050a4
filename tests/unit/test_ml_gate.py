"""The gate: fitted on a few synthetic pictures, tried on what it never saw, photographs above all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image, ImageFilter

from ml.bases import imagenet_weights
from ml.cli import main
from ml.data.synthetic import draw_non_scalp
from ml.data.synthetic.others import KINDS
from ml.errors import GateInvalid
from ml.gate import admits, distances
from ml.gate.fit import GateFit, Trunk, fit_gate, imagenet_prototypes
from ml.gate.gate import Gate, gate_facts
from ml.gate.making import auroc, make_gate
from ml.gate.pictures import drawn_scalp, others, scalps
from ml.growth import SHARPNESS
from ml.preprocessing import Preprocessing, to_tensor
from ml.registry import create_filled_network, describe
from tests.aihub import pictures, stem, write_folders

SIZE = 160
#: Enough for a test; `python -m ml gate fit` takes 800 of each.
COUNT = 65
FACTS = gate_facts(SIZE, 0.5, "a test", {})


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk(imagenet_weights(), FACTS.preprocessing)


@pytest.fixture(scope="module")
def fit(trunk: Trunk) -> GateFit:
    yes = trunk.features(scalps((), COUNT, 0))
    no = trunk.features(others((), COUNT, 13_000_000))
    return fit_gate(yes, no, imagenet_prototypes(imagenet_weights()))


@pytest.fixture(scope="module")
def unseen() -> list[Image.Image]:
    """Scalps of other seeds, as they were drawn."""
    return [drawn_scalp(seed) for seed in range(500, 520)]


@pytest.fixture(scope="module")
def unseen_scores(fit: GateFit, trunk: Trunk, unseen: list[Image.Image]) -> np.ndarray:
    return fit.scores(trunk.features(unseen))


def photographs() -> list[Image.Image]:
    """Ordinary photographs that scikit-image ships, whole, without colour, and a quarter from the middle."""
    names = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "gravel", "page", "rocket")
    whole = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in names]
    middles = [
        photo.crop((photo.width // 4, photo.height // 4, photo.width * 3 // 4, photo.height * 3 // 4))
        for photo in whole
    ]
    return [*whole, *(photo.convert("L").convert("RGB") for photo in whole), *middles]


def test_drawn_things_of_every_kind_are_told_from_scalps(fit: GateFit, trunk: Trunk, unseen_scores: np.ndarray) -> None:
    refused = fit.scores(trunk.features(draw_non_scalp(seed) for seed in range(13_000, 13_000 + 2 * len(KINDS))))
    assert auroc(unseen_scores, refused) >= 0.99
    assert (refused <= 0).mean() >= 0.95


def test_photographs_are_told_from_scalps(fit: GateFit, trunk: Trunk, unseen_scores: np.ndarray) -> None:
    refused = fit.scores(trunk.features(photographs()))
    assert auroc(unseen_scores, refused) >= 0.99
    assert (refused <= 0).mean() >= 0.9


@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_a_blank_frame_is_refused(level: int, fit: GateFit, trunk: Trunk) -> None:
    assert fit.scores(trunk.features([Image.new("RGB", (640, 480), (level,) * 3)])) <= 0


def test_scalps_pass(unseen_scores: np.ndarray) -> None:
    assert (unseen_scores > 0).mean() >= 0.95


def jpeg(scalp: Image.Image) -> Image.Image:
    file = io.BytesIO()
    scalp.save(file, "JPEG", quality=15)
    return Image.open(file).convert("RGB")


def masked(scalp: Image.Image) -> Image.Image:
    rows, columns = np.mgrid[: scalp.height, : scalp.width]
    inside = np.hypot(rows - scalp.height / 2, columns - scalp.width / 2) < scalp.height / 2
    return Image.fromarray(np.asarray(scalp) * inside[..., None].astype(np.uint8))


def enlarged(scalp: Image.Image) -> Image.Image:
    width, height = scalp.size
    return scalp.resize(scalp.size, box=(width / 4, height / 4, width * 3 / 4, height * 3 / 4))


def turned_in_hue(scalp: Image.Image) -> Image.Image:
    hue, *rest = scalp.convert("HSV").split()
    return Image.merge("HSV", (hue.point([(value + 128) % 256 for value in range(256)]), *rest)).convert("RGB")


SHIFTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "hue": turned_in_hue,
    "gamma": lambda scalp: scalp.point([round(255 * (level / 255) ** 2.2) for level in range(256)] * 3),
    "jpeg": jpeg,
    "sharpened": lambda scalp: scalp.filter(ImageFilter.UnsharpMask(2, 300, 0)),
    "enlarged": enlarged,
    "masked": masked,
}


def test_scalps_pass_as_other_scopes_would_show_them(fit: GateFit, trunk: Trunk, unseen: list[Image.Image]) -> None:
    shifted = [shift(scalp) for shift in SHIFTS.values() for scalp in unseen[:8]]
    assert (fit.scores(trunk.features(shifted)) > 0).mean() >= 0.95


def test_a_score_is_positive_exactly_where_the_gate_lets_pass(
    fit: GateFit, trunk: Trunk, unseen: list[Image.Image]
) -> None:
    features = trunk.features([*unseen[:6], *photographs()[:6]])
    logits = torch.nn.functional.linear(features, fit.tensors["_fc.weight"], fit.tensors["_fc.bias"])
    pairs = zip(logits.softmax(dim=1)[:, 1].tolist(), distances(features, fit.tensors).tolist(), strict=True)
    passed = [admits(probability, distance, fit.threshold) for probability, distance in pairs]
    assert passed == (fit.scores(features) > 0).tolist()
    assert set(passed) == {True, False}


def test_distance_refuses_what_the_head_is_sure_of(fit: GateFit) -> None:
    """Far along the head's own direction the softmax is ever surer, and no scalp is there."""
    towards = fit.tensors["_fc.weight"][1] / fit.tensors["_fc.weight"][1].norm()
    far = 100 * towards[None]
    logits = torch.nn.functional.linear(far, fit.tensors["_fc.weight"], fit.tensors["_fc.bias"])
    assert logits.softmax(dim=1)[0, 1] > 0.999
    assert fit.scores(far) < 0


def test_a_photo_passes_only_by_both_and_an_open_gate_lets_everything_pass() -> None:
    assert admits(0.9, 0.5, threshold=0.5)
    assert admits(0.9, None, threshold=0.5)
    assert not admits(0.4, 0.5, threshold=0.5)
    assert not admits(0.9, 1.1, threshold=0.5)
    assert admits(0.0, 9.0, threshold=0)


def test_a_gate_grown_into_b7_answers_as_it_did(fit: GateFit, tmp_path: Path, unseen: list[Image.Image]) -> None:
    expects = describe("efficientnet-lite0")
    spec = Preprocessing(64, expects.mean, expects.std)
    Gate(gate_facts(64, fit.threshold, "a test", {}), fit.tensors).save(tmp_path)
    gate = Gate.open(tmp_path)
    assert gate.facts.threshold == fit.threshold
    weights = dict(gate.weights("efficientnet-b7"))
    extra = {name: weights.pop(name) for name in ("distance.weight", "distance.bias")}
    network = create_filled_network("efficientnet-b7", 2, 64, weights)
    pictures = unseen[:2]
    plain = Trunk(imagenet_weights(), spec).features(pictures)
    with torch.inference_mode():
        inputs = torch.stack([to_tensor(picture, spec) for picture in pictures])
        grown = network.extract_features(inputs).mean(dim=(2, 3))
    first, second = grown.chunk(2, dim=1)
    assert torch.allclose((first - second) / SHARPNESS, plain, atol=0.1)
    assert torch.allclose(distances(grown, extra), distances(plain, fit.tensors), rtol=0.01)


def test_a_folder_without_a_whole_gate_says_so(fit: GateFit, tmp_path: Path) -> None:
    with pytest.raises(GateInvalid, match="ml gate fit"):
        Gate.open(tmp_path)
    Gate(FACTS, {**fit.tensors, "distance.bias": torch.zeros(3)}).save(tmp_path)
    with pytest.raises(GateInvalid, match="other tensors"):
        Gate.open(tmp_path)


def test_the_command_fits_a_gate_on_a_data_set_and_the_operators_photographs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_folders(tmp_path / "data", pictures({stem(person): "000000" for person in range(4)}))
    for folder in ("negatives", "photographs"):
        (tmp_path / folder).mkdir()
    photographs()[0].save(tmp_path / "negatives" / "a.jpg")
    photographs()[3].save(tmp_path / "photographs" / "b.png")
    folders = ["--negatives", str(tmp_path / "negatives"), "--photographs", str(tmp_path / "photographs")]
    small = ["--count", "15", "--image-size", "64", "--json"]
    assert main(["gate", "fit", str(data), "--out", str(tmp_path / "gate"), *folders, *small]) == 0
    facts = Gate.open(tmp_path / "gate").facts
    assert json.loads(capsys.readouterr().out) == facts.model_dump(mode="json")
    assert facts.image_size == 64
    assert {"auroc_held_out", "auroc_photographs"} <= facts.metrics.keys()
    assert "4 pictures" in facts.trained_on
    assert "1 photographs" in facts.trained_on


def test_too_few_scalps_for_a_fifth_to_be_held_out_are_refused() -> None:
    with pytest.raises(GateInvalid, match="10 scalps or more; 9 are too few"):
        make_gate([], count=9)
