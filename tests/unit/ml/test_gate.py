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

from ml.cli import main
from ml.data.synthetic import draw_head, draw_non_scalp
from ml.data.synthetic.others import KINDS
from ml.errors import GateInvalid
from ml.gate import admits, distances
from ml.gate.features import FeatureExtractor
from ml.gate.fit import FeatureSample, GateFit, fit_gate, prototypes_sample
from ml.gate.gate import Gate, gate_facts
from ml.gate.make import make_gate
from ml.gate.pictures import drawn_scalp, heads, others, scalps, vary, views
from ml.labels import GateClass
from ml.metrics import auroc
from ml.networks.growth import SHARPNESS
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import create_filled_network, describe
from ml.preprocessing import Preprocessing, to_tensor
from tests.support.aihub import pictures, stem, write_folders

SIZE = 160
#: Enough for a test; `python -m ml gate fit` takes 800 of each.
COUNT = 65
FACTS = gate_facts(SIZE, 0.5, "a test", {})


@pytest.fixture(scope="module")
def trunk() -> FeatureExtractor:
    return FeatureExtractor(imagenet_weights(), FACTS.preprocessing)


@pytest.fixture(scope="module")
def fit(trunk: FeatureExtractor) -> GateFit:
    drawn = {
        GateClass.OTHER: others(COUNT, 13_000_000),
        GateClass.SCALP: scalps((), COUNT, 0),
        GateClass.TOO_FAR: heads(COUNT, 23_000_000),
    }
    samples = [
        FeatureSample(f"drawn {outcome.name}", outcome, trunk.features(shown), torch.arange(COUNT))
        for outcome, shown in drawn.items()
    ]
    return fit_gate([*samples, prototypes_sample(imagenet_weights())])


@pytest.fixture(scope="module")
def unseen() -> list[Image.Image]:
    """Scalps of other seeds, as they were drawn."""
    return [drawn_scalp(seed) for seed in range(500, 520)]


@pytest.fixture(scope="module")
def unseen_scores(fit: GateFit, trunk: FeatureExtractor, unseen: list[Image.Image]) -> np.ndarray:
    return fit.scores(trunk.features(unseen))


def photographs() -> list[Image.Image]:
    """Ordinary photographs that scikit-image ships, whole, without color, and a quarter from the middle."""
    names = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "gravel", "page", "rocket")
    whole = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in names]
    middles = [
        photo.crop((photo.width // 4, photo.height // 4, photo.width * 3 // 4, photo.height * 3 // 4))
        for photo in whole
    ]
    return [*whole, *(photo.convert("L").convert("RGB") for photo in whole), *middles]


def test_drawn_things_of_every_kind_are_told_from_scalps(
    fit: GateFit, trunk: FeatureExtractor, unseen_scores: np.ndarray
) -> None:
    refused = fit.scores(trunk.features(draw_non_scalp(seed) for seed in range(13_000, 13_000 + 2 * len(KINDS))))
    assert auroc(unseen_scores, refused) >= 0.99
    assert (refused <= 0).mean() >= 0.95


def test_photographs_are_told_from_scalps(fit: GateFit, trunk: FeatureExtractor, unseen_scores: np.ndarray) -> None:
    refused = fit.scores(trunk.features(photographs()))
    assert auroc(unseen_scores, refused) >= 0.99
    assert (refused <= 0).mean() >= 0.9


@pytest.mark.parametrize("level", [0, 20, 128, 255])
def test_a_blank_frame_is_refused(level: int, fit: GateFit, trunk: FeatureExtractor) -> None:
    assert fit.scores(trunk.features([Image.new("RGB", (640, 480), (level,) * 3)])) <= 0


def test_heads_from_afar_are_told_from_scalps_and_from_other_things(fit: GateFit, trunk: FeatureExtractor) -> None:
    told = fit.outcomes(trunk.features(draw_head(seed) for seed in range(33_000_000, 33_000_040)))
    assert (told == GateClass.SCALP).mean() <= 0.05
    assert (told == GateClass.TOO_FAR).mean() >= 0.8


def test_other_things_are_not_called_too_far(fit: GateFit, trunk: FeatureExtractor) -> None:
    told = fit.outcomes(trunk.features(draw_non_scalp(seed) for seed in range(13_000, 13_000 + 2 * len(KINDS))))
    assert (told == GateClass.OTHER).mean() >= 0.85


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


def test_scalps_pass_as_other_scopes_would_show_them(
    fit: GateFit, trunk: FeatureExtractor, unseen: list[Image.Image]
) -> None:
    shifted = [shift(scalp) for shift in SHIFTS.values() for scalp in unseen[:8]]
    assert (fit.scores(trunk.features(shifted)) > 0).mean() >= 0.95


def test_a_score_is_positive_exactly_where_the_gate_lets_pass(
    fit: GateFit, trunk: FeatureExtractor, unseen: list[Image.Image]
) -> None:
    features = trunk.features([*unseen[:6], *photographs()[:6]])
    logits = torch.nn.functional.linear(features, fit.tensors["_fc.weight"], fit.tensors["_fc.bias"])
    pairs = zip(logits.softmax(dim=1)[:, 1].tolist(), distances(features, fit.tensors).tolist(), strict=True)
    passed = [admits(probability, distance, fit.threshold) for probability, distance in pairs]
    assert passed == (fit.scores(features) > 0).tolist()
    assert passed == (fit.outcomes(features) == GateClass.SCALP).tolist()
    assert set(passed) == {True, False}


def test_distance_refuses_what_the_head_is_sure_of(fit: GateFit) -> None:
    """Far along the head's own direction the softmax is ever surer, and no scalp is there."""
    toward = fit.tensors["_fc.weight"][1] / fit.tensors["_fc.weight"][1].norm()
    far = 100 * toward[None]
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
    network = create_filled_network("efficientnet-b7", 3, 64, weights)
    pictures = unseen[:2]
    plain = FeatureExtractor(imagenet_weights(), spec).features(pictures)
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
    with pytest.raises(GateInvalid, match="not have the tensors of a gate"):
        Gate.open(tmp_path)


def test_the_command_fits_a_gate_on_a_data_set_and_own_photographs(
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


def test_the_command_shows_what_a_gate_says_of_the_folds_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_folders(tmp_path / "data", pictures({stem(person): "000000" for person in range(4)}))
    folders = []
    for name, shown in {"real": (drawn_scalp(seed) for seed in range(10)), "far": map(draw_head, range(11))}.items():
        (tmp_path / name).mkdir()
        for number, picture in enumerate(shown):
            picture.save(tmp_path / name / f"{number}.png")
        folders += [f"--{name}", str(tmp_path / name)]
    small = ["--count", "20", "--image-size", "64", "--folds", "2"]
    assert main(["gate", "fit", str(data), "--out", str(tmp_path / "gate"), *folders, *small]) == 0
    outcomes = Gate.open(tmp_path / "gate").facts.outcomes
    counted = {name: sum(counts.values()) for name, counts in outcomes.items()}
    assert counted == {
        "scalps": 20,
        "real scalps": 10,
        "drawn heads": 20,
        "photographed heads": 11,
        "drawn others": 20,
    }
    shown_rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["2-fold", "cross-validation", "other", "scalp", "too_far"] in shown_rows
    assert ["photographed", "heads", *map(str, outcomes["photographed heads"].values())] in shown_rows


def test_rows_of_one_photograph_are_on_one_side_of_a_fold() -> None:
    sample = FeatureSample("photographs", GateClass.SCALP, torch.arange(14.0)[:, None], torch.arange(14) % 7)
    for fold in range(3):
        kept, held = sample.divide(fold, 3)
        assert set(kept.pictures.tolist()) | set(held.pictures.tolist()) == set(range(7))
        assert not set(kept.pictures.tolist()) & set(held.pictures.tolist())
        # Folds within a fold hold something as well, or no threshold could be set.
        assert len(kept.divide(2, 3)[1].features)
    assert sample.once().features.flatten().tolist() == list(range(7))


def test_a_photograph_is_shown_as_it_is_and_then_varied(tmp_path: Path) -> None:
    photo = photographs()[0]
    photo.save(tmp_path / "a.png")
    plain, varied, again = views([tmp_path / "a.png"], 3, 0, closest=1.6, stretch=0.2)
    assert plain.tobytes() == photo.tobytes()
    assert len({plain.tobytes(), varied.tobytes(), again.tobytes()}) == 3


def test_some_varied_pictures_have_plain_bands_at_an_edge() -> None:
    scalp = drawn_scalp(3)
    edges = [np.asarray(vary(scalp, np.random.default_rng(seed))).astype(int) for seed in range(60)]
    banded = sum(any(side.std() < 3 for side in (e[0], e[-1], e[:, 0], e[:, -1])) for e in edges)
    assert 3 <= banded <= 30


def test_a_gate_of_two_classes_opens_as_before(fit: GateFit, tmp_path: Path) -> None:
    two = {**fit.tensors, "_fc.weight": fit.tensors["_fc.weight"][:2], "_fc.bias": fit.tensors["_fc.bias"][:2]}
    Gate(FACTS.model_copy(update={"classes": 2}), two).save(tmp_path)
    document = json.loads((tmp_path / "gate.json").read_text())
    del document["classes"], document["outcomes"]
    (tmp_path / "gate.json").write_text(json.dumps(document))
    assert Gate.open(tmp_path).facts.classes == 2


def test_too_few_scalps_for_a_fifth_to_be_held_out_are_refused() -> None:
    with pytest.raises(GateInvalid, match="at least 10 scalps; there are 9"):
        make_gate([], count=9)


@pytest.mark.parametrize("kind", ["real", "far"])
def test_too_few_photographs_for_a_fifth_to_be_held_out_are_refused(kind: str) -> None:
    with pytest.raises(GateInvalid, match=f"at least 10 --{kind}; there are 9"):
        make_gate([], **{kind: [Path("photo.jpg")] * 9})


def test_a_single_fold_is_refused() -> None:
    with pytest.raises(GateInvalid, match="at least 2 folds, not 1"):
        make_gate([], folds=1)
