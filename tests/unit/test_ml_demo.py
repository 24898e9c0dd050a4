"""The bundle that ships with the code, and one photo through its seven EfficientNet-B7."""

from __future__ import annotations

from pathlib import Path

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.predictor import Predictor

DEMO = Path(__file__).resolve().parents[2] / "ml" / "bundles" / "demo"


def test_the_demo_is_small_and_says_that_it_is_a_demo() -> None:
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 9_000_000
    assert {path.suffix for path in DEMO.iterdir()} == {".json", ".safetensors"}
    manifest = Bundle.open(DEMO).manifest
    assert manifest.demo
    assert {(model.architecture, model.image_size) for model in manifest.models} == {("efficientnet-b7", 300)}
    assert len({model.base for model in manifest.models}) == 7
    assert manifest.models[-1].threshold == 0


def test_the_demo_grades_a_photo_with_seven_b7() -> None:
    predictor = Predictor(Bundle.open(DEMO), "cpu")
    (prediction,) = predictor.predict([predictor.prepare(scalp_picture(100))])
    assert predictor.models_resident == 7
    assert prediction is not None
    assert prediction.is_scalp
    assert len(prediction.findings) == 6
    # Calibrated heads neither shrug nor insist: untrained ones without statistics would do the first.
    assert all(0.25 < finding.confidence < 0.9999 for finding in prediction.findings)
    assert len({finding.probabilities for finding in prediction.findings}) == 6
