"""The bundle that ships with the code: what it says of itself, and photos through its seven EfficientNet-B7."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
from PIL import Image

from ml.bundle import Bundle
from ml.data.synthetic import draw_head, draw_scalp
from ml.labels import SYMPTOMS
from ml.predictor import Finding, Predictor
from tests.support.environment import ROOT

DEMO = ROOT / "ml" / "bundles" / "demo"

#: Photographs that come with scikit-image. The gate was not fitted on them.
PHOTOGRAPHS = ("chelsea", "coffee", "astronaut", "rocket", "camera", "brick", "grass", "gravel")


@pytest.fixture(scope="module")
def demo() -> Predictor:
    return Predictor(Bundle.open(DEMO), "cpu")


def test_the_demo_is_small_and_says_that_it_is_a_demo() -> None:
    sizes = [path.stat().st_size for path in DEMO.rglob("*") if path.is_file()]
    assert sum(sizes) < 40_000_000
    assert max(sizes) < 15_000_000
    manifest = Bundle.open(DEMO).manifest
    assert manifest.demo
    assert {(model.architecture, model.image_size) for model in manifest.models} == {("efficientnet-b7", 300)}


def test_the_demo_states_its_figures_and_the_card_has_the_same() -> None:
    graders = Bundle.open(DEMO).manifest.models[:6]
    figures = [model.metrics["qwk"] for model in graders]
    assert np.mean(figures) >= 0.8
    assert min(figures) >= 0.7
    card = (DEMO / "model-card.md").read_text(encoding="utf-8")
    assert "synthetic pictures" in card
    for symptom, figure in zip(SYMPTOMS, figures, strict=True):
        row = next(line for line in card.splitlines() if line.startswith(f"| {symptom.english} |") and "[" in line)
        assert f"{figure:.2f} [" in row
    assert all((DEMO / "figures" / name).is_file() for name in ("confusion-matrices.png", "reliability.png"))


def test_the_demo_ranks_pictures_that_it_never_saw(demo: Predictor) -> None:
    """Its levels are those of real photographs, so of drawn pictures the order is what it promises."""
    random = np.random.default_rng(77)
    wanted = random.integers(0, 4, (12, 6))
    predictions = demo.predict([demo.prepare(draw_scalp(910_000 + n, row)) for n, row in enumerate(wanted.tolist())])
    assert demo.models_resident == 7
    seen = [place for place, prediction in enumerate(predictions) if prediction is not None and prediction.is_scalp]
    assert len(seen) >= 11
    expected = np.array([[mean_grade(found) for found in predictions[place].findings] for place in seen])  # type: ignore[union-attr]
    ranked = [np.corrcoef(expected[:, sign], wanted[seen, sign])[0, 1] for sign in range(len(SYMPTOMS))]
    assert np.mean(ranked) > 0.7
    assert min(ranked) > 0.3


def mean_grade(finding: Finding) -> float:
    return float(np.dot(finding.probabilities, range(4)))


def test_the_demo_calls_drawn_scalps_without_a_sign_good_or_mild(demo: Predictor) -> None:
    predictions = demo.predict([demo.prepare(draw_scalp(920_000 + number, [0] * 6)) for number in range(8)])
    degrees = [prediction.pred for prediction in predictions if prediction is not None and prediction.is_scalp]
    assert len(degrees) >= 7
    assert sum(degree in ("양호", "경증") for degree in degrees) >= len(degrees) - 1


def test_the_demo_withholds_what_no_real_photograph_has_confirmed(demo: Predictor) -> None:
    (prediction,) = demo.predict([demo.prepare(draw_scalp(930_000, (3, 0, 0, 0, 0, 0)))])
    assert prediction is not None
    assert [found.symptom for found in prediction.findings if found.abstention == "unproven"] == ["fine_scaling"]


def test_the_demo_says_of_heads_that_they_are_too_far_away(demo: Predictor) -> None:
    predictions = demo.predict([demo.prepare(draw_head(940_000 + number)) for number in range(8)])
    rejections = [prediction.rejection for prediction in predictions if prediction is not None]
    assert rejections.count("too_far") >= 7


def test_the_demo_credits_the_photographs_that_it_learned_from() -> None:
    card = (DEMO / "model-card.md").read_text(encoding="utf-8")
    for text in (card, Bundle.open(DEMO).manifest.trained_on):
        assert all(name in text for name in ("scalp-data", "nisipeanu", "hair-loss", "uze", "CC BY 4.0"))


def test_the_demo_refuses_photographs_that_nobody_drew_for_it(demo: Predictor) -> None:
    photographs = [Image.fromarray(getattr(skimage.data, name)()).convert("RGB") for name in PHOTOGRAPHS]
    predictions = demo.predict([demo.prepare(photograph) for photograph in photographs])
    accepted = [name for name, seen in zip(PHOTOGRAPHS, predictions, strict=True) if seen is None or seen.is_scalp]
    assert accepted == []


def test_the_demo_refuses_a_dark_frame_before_its_gate_looks(demo: Predictor) -> None:
    (prediction,) = demo.predict([demo.prepare(Image.new("RGB", (640, 480), (3, 2, 2)))])
    assert prediction is not None
    assert (prediction.rejection, prediction.scalp_probability) == ("too_dark", None)
