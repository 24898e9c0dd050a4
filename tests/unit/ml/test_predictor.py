from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from backend.analyses.reasons import REJECTIONS
from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.errors import ModelError
from ml.gate import distances, extra_tensors
from ml.labels import SYMPTOMS, scalp_type
from ml.predictor import RUN_ORDER, Prediction, Predictor, Rejection
from ml.preprocessing import Prepared
from ml.runtimes.resident import ModelAnswer, Prefetch, ResidentModels
from tests.support.ml_bundles import alter_model, alter_tensors


@pytest.fixture(scope="session")
def photos(predictor: Predictor) -> list[Prepared]:
    return [predictor.prepare(scalp_picture(seed)) for seed in range(100, 106)]


class RecordingModels(ResidentModels):
    """Notes which model ran on how many photos."""

    def __init__(self, models: ResidentModels) -> None:
        self.__dict__ = models.__dict__
        self.runs: list[tuple[str, int]] = []

    def run(
        self, key: str, batch: torch.Tensor, *, prefetch: Prefetch = None, features: bool = False, maps: bool = False
    ) -> ModelAnswer:
        self.runs.append((key, len(batch)))
        return super().run(key, batch, prefetch=prefetch, features=features, maps=maps)


@pytest.fixture
def runs(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    recording = RecordingModels(predictor._models)
    monkeypatch.setattr(predictor, "_models", recording)
    return recording.runs


def values(prediction: Prediction | None) -> np.ndarray:
    assert prediction is not None
    return np.array([prediction.scalp_probability, *(p for f in prediction.findings for p in f.probabilities)])


def test_a_prediction_holds_six_findings_and_the_type_that_follows(
    predictor: Predictor, photos: list[Prepared]
) -> None:
    predictions = predictor.predict(photos)
    assert len(predictions) == len(photos)
    for prediction in predictions:
        assert prediction is not None
        assert prediction.is_scalp
        assert [finding.symptom for finding in prediction.findings] == [symptom.key for symptom in SYMPTOMS]
        for finding in prediction.findings:
            assert sum(finding.probabilities) == pytest.approx(1, abs=1e-5)
            assert finding.confidence == max(finding.probabilities)
            assert finding.grade == finding.probabilities.index(finding.confidence)
            assert finding.abstains == (finding.confidence < 0.4)
            assert finding.abstention == ("unsure" if finding.abstains else None)
        grades = [finding.grade for finding in prediction.findings]
        assert (prediction.skin, prediction.pred) == scalp_type(grades)


def test_different_photos_get_different_grades(predictor: Predictor, photos: list[Prepared]) -> None:
    grades = {tuple(f.grade for f in p.findings) for p in predictor.predict(photos) if p is not None}
    assert len(grades) >= 3


def test_the_gate_runs_first_and_every_model_once(
    predictor: Predictor, photos: list[Prepared], runs: list[tuple[str, int]]
) -> None:
    seen: list[tuple[int, Sequence[int]]] = []

    def watch(done: int, staying: Sequence[int]) -> Sequence[int]:
        seen.append((done, staying))
        return staying

    predictor.predict(photos[:2], watch)
    assert runs == [(key, 2) for key in RUN_ORDER]
    assert RUN_ORDER[0] == "scalp_gate"
    assert seen == [(done, (0, 1)) for done in range(1, 8)]


def test_an_answer_does_not_depend_on_the_batch(predictor: Predictor, photos: list[Prepared]) -> None:
    together = predictor.predict(photos)
    backwards = predictor.predict(photos[::-1])[::-1]
    for index, photo in enumerate(photos):
        (alone,) = predictor.predict([photo])
        np.testing.assert_allclose(values(alone), values(together[index]), atol=1e-4)
        np.testing.assert_allclose(values(alone), values(backwards[index]), atol=1e-4)


def test_a_photo_that_the_watch_drops_is_none_and_the_others_go_on(
    predictor: Predictor, photos: list[Prepared], runs: list[tuple[str, int]]
) -> None:
    undisturbed = predictor.predict(photos[:3])
    runs.clear()

    def watch(done: int, staying: Sequence[int]) -> set[int]:
        # The third is canceled after the gate, the first after the fourth model. What was never in is ignored.
        return {0, 1, 99} if done < 4 else {1, 2}

    predictions = predictor.predict(photos[:3], watch)
    assert [count for _, count in runs] == [3, 2, 2, 2, 1, 1, 1]
    assert predictions[0] is None
    assert predictions[2] is None
    np.testing.assert_allclose(values(predictions[1]), values(undisturbed[1]), atol=1e-4)


def test_a_cancel_after_the_last_model_still_counts(predictor: Predictor, photos: list[Prepared]) -> None:
    assert predictor.predict(photos[:1], lambda done, staying: [] if done == 7 else staying) == [None]


def test_when_nobody_is_left_no_further_model_runs(
    predictor: Predictor, photos: list[Prepared], runs: list[tuple[str, int]]
) -> None:
    assert predictor.predict(photos[:2], lambda done, staying: []) == [None, None]
    assert runs == [("scalp_gate", 2)]


def test_no_photos_are_no_work(predictor: Predictor, runs: list[tuple[str, int]]) -> None:
    assert predictor.predict([]) == []
    assert runs == []


def test_a_gate_with_a_threshold_above_one_refuses_everything(bundle_copy: Path, photos: list[Prepared]) -> None:
    alter_model(bundle_copy, "scalp_gate", threshold=1.01)
    closed = Predictor(Bundle.open(bundle_copy), "cpu")
    calls: list[int] = []
    predictions = closed.predict(photos[:2], lambda done, staying: calls.append(done) or staying)  # type: ignore[func-returns-value]
    for prediction in predictions:
        assert prediction is not None
        assert not prediction.is_scalp
        assert prediction.rejection == "not_a_scalp"
        assert prediction.scalp_probability is not None
        assert 0 < prediction.scalp_probability < 1
        assert (prediction.findings, prediction.skin, prediction.pred) == ((), None, None)
    assert calls == []


def test_the_gate_refuses_some_and_the_others_are_graded(
    bundle_copy: Path, predictor: Predictor, photos: list[Prepared]
) -> None:
    open_gate = predictor.predict(photos)
    probabilities = [p.scalp_probability for p in open_gate if p is not None and p.scalp_probability is not None]
    middle = sorted(probabilities)[2:4]
    alter_model(bundle_copy, "scalp_gate", threshold=sum(middle) / 2)
    half_open = Predictor(Bundle.open(bundle_copy), "cpu").predict(photos)
    for index, prediction in enumerate(half_open):
        assert prediction is not None
        assert prediction.is_scalp == (probabilities[index] >= middle[1])
        if prediction.is_scalp:
            np.testing.assert_allclose(values(prediction), values(open_gate[index]), atol=1e-4)
    assert sum(prediction is not None and prediction.is_scalp for prediction in half_open) == 3


def test_a_refused_photo_is_not_offered_to_the_watch(
    bundle_copy: Path, predictor: Predictor, photos: list[Prepared]
) -> None:
    probabilities = [p.scalp_probability or 0 for p in predictor.predict(photos[:2]) if p is not None]
    alter_model(bundle_copy, "scalp_gate", threshold=sum(probabilities) / 2)
    offered: set[int] = set()
    predictions = Predictor(Bundle.open(bundle_copy), "cpu").predict(
        photos[:2],
        lambda done, staying: offered.update(staying) or staying,  # type: ignore[func-returns-value]
    )
    passed = {index for index, p in enumerate(predictions) if p is not None and p.is_scalp}
    assert offered == passed
    assert len(passed) == 1


def test_a_dark_photo_is_refused_before_the_gate_looks(
    predictor: Predictor, photos: list[Prepared], runs: list[tuple[str, int]]
) -> None:
    dark = predictor.prepare(Image.new("RGB", (64, 48), (5, 5, 5)))
    offered: list[Sequence[int]] = []

    def watch(done: int, staying: Sequence[int]) -> Sequence[int]:
        offered.append(staying)
        return staying

    first, second = predictor.predict([dark, photos[0]], watch)
    assert first == Prediction(is_scalp=False, scalp_probability=None, rejection="too_dark")
    assert second is not None
    assert (second.is_scalp, second.rejection) == (True, None)
    assert runs == [(key, 1) for key in RUN_ORDER]
    assert offered == [(1,)] * 7
    runs.clear()
    assert predictor.predict([dark]) == [first]
    assert runs == []


def test_a_photo_far_from_every_scalp_is_refused_however_sure_the_gate_is(
    bundle_copy: Path, photos: list[Prepared]
) -> None:
    width = extra_tensors(1280)
    weight = {name: torch.zeros(shape) for name, shape in width.items() if len(shape) > 1}
    alter_model(bundle_copy, "scalp_gate", threshold=1e-9)
    for away, is_scalp in ((0.5, True), (2.0, False)):
        bias = {name: torch.eye(shape[0])[0] * away for name, shape in width.items() if len(shape) == 1}
        alter_tensors(bundle_copy, "scalp_gate", {**weight, **bias})
        (prediction,) = Predictor(Bundle.open(bundle_copy), "cpu").predict(photos[:1])
        assert prediction is not None
        assert prediction.scalp_distance == pytest.approx(away)
        assert (prediction.is_scalp, prediction.rejection) == (is_scalp, None if is_scalp else "not_a_scalp")


def test_a_grader_says_why_it_withholds_and_only_unsure_grades_count(bundle_copy: Path, photos: list[Prepared]) -> None:
    random = torch.Generator().manual_seed(3)
    tensors = {name: torch.randn(shape, generator=random) for name, shape in extra_tensors(1280).items()}
    alter_tensors(bundle_copy, "scalp_gate", tensors)
    plain = Predictor(Bundle.open(bundle_copy), "cpu").predict(photos)
    away = [prediction.scalp_distance or 0 for prediction in plain if prediction is not None]
    reach = float(np.median(away))
    # Every reason holds for the first, two for the second, and so on: the first that holds is the one that is told.
    alter_model(bundle_copy, "fine_scaling", rated=False, reach=reach, threshold=1.01)
    alter_model(bundle_copy, "excess_sebum", rated=True, reach=reach, threshold=1.01)
    alter_model(bundle_copy, "interfollicular_erythema", threshold=1.01)
    alter_model(bundle_copy, "dandruff", reach=reach, threshold=0.0)
    alter_model(bundle_copy, "hair_loss", threshold=0.0)
    alter_model(bundle_copy, "follicular_erythema_pustules", threshold=0.0)
    predictions = Predictor(Bundle.open(bundle_copy), "cpu").predict(photos)
    assert len({distance > reach for distance in away}) == 2
    for prediction, before, distance in zip(predictions, plain, away, strict=True):
        assert prediction is not None
        assert before is not None
        far = distance > reach
        reasons = [finding.abstention for finding in prediction.findings]
        assert reasons == [
            "unproven", "unfamiliar" if far else "unsure", "unsure", None, "unfamiliar" if far else None, None,
        ]  # fmt: skip
        assert [finding.abstains for finding in prediction.findings] == [reason is not None for reason in reasons]
        grades = [finding.grade for finding in prediction.findings]
        assert grades == [finding.grade for finding in before.findings]
        counting = [
            0 if reason in ("unproven", "unfamiliar") else grade for grade, reason in zip(grades, reasons, strict=True)
        ]
        assert (prediction.skin, prediction.pred) == scalp_type(counting)
    assert any((one.skin, one.pred) != (two.skin, two.pred) for one, two in zip(predictions, plain, strict=True))


def test_a_gate_of_three_classes_says_what_is_too_far_away(bundle_copy: Path, photos: list[Prepared]) -> None:
    """A head whose weights are zero says the same of every photo: what its bias says."""
    alter_model(bundle_copy, "scalp_gate", classes=3, threshold=0.5)
    for bias, rejection in (
        ((0.0, 3.0, 0.0), None),
        ((3.0, 0.0, 1.0), "not_a_scalp"),
        ((1.0, 0.0, 3.0), "too_far"),
        ((1.0, 1.0, 1.0), "not_a_scalp"),
    ):
        alter_tensors(bundle_copy, "scalp_gate", {"_fc.weight": torch.zeros(3, 1280), "_fc.bias": torch.tensor(bias)})
        (prediction,) = Predictor(Bundle.open(bundle_copy), "cpu").predict(photos[:1])
        assert prediction is not None
        assert (prediction.is_scalp, prediction.rejection) == (rejection is None, rejection)
        assert prediction.scalp_probability == pytest.approx(float(torch.tensor(bias).softmax(dim=0)[1]), abs=1e-5)


def test_the_distance_is_measured_on_the_features_of_the_gate(bundle_copy: Path, photos: list[Prepared]) -> None:
    random = torch.Generator().manual_seed(3)
    tensors = {name: torch.randn(shape, generator=random) for name, shape in extra_tensors(1280).items()}
    alter_tensors(bundle_copy, "scalp_gate", tensors)
    bundle = Bundle.open(bundle_copy)
    measuring = Predictor(bundle, "cpu")
    predictions = measuring.predict(photos[:3])
    batch = torch.stack([photo.tensors[bundle.model("scalp_gate").preprocessing] for photo in photos[:3]])
    features = measuring._models.run("scalp_gate", batch, features=True).features
    assert features is not None
    expected = distances(torch.from_numpy(features), tensors)
    assert expected.std() > 0
    assert [p.scalp_distance for p in predictions if p is not None] == pytest.approx(expected.tolist(), rel=1e-4)


def test_findings_have_the_map_of_their_grade_where_it_is_wanted(predictor: Predictor, photos: list[Prepared]) -> None:
    plain, mapped = predictor.predict(photos[:2]), predictor.predict(photos[:2], maps=True)
    assert plain == mapped
    weights = {model.key: networks[0] for model, networks in predictor.bundle.weights()}
    for prediction in mapped:
        assert prediction is not None
        for finding in prediction.findings:
            assert finding.map is not None
            assert (finding.map.shape, finding.map.dtype) == ((2, 2), np.float32)
            photo = photos[mapped.index(prediction)].tensors[predictor.bundle.model(finding.symptom).preprocessing]
            maps = predictor._models.run(finding.symptom, photo[None], maps=True).maps
            assert maps is not None
            logits = maps[0].mean(axis=(1, 2)) + weights[finding.symptom]["_fc.bias"].numpy()
            assert finding.map.mean() == pytest.approx(
                logits[finding.grade] - float(weights[finding.symptom]["_fc.bias"][finding.grade]), abs=1e-3
            )
    assert all(finding.map is None for prediction in plain if prediction for finding in prediction.findings)


def test_models_may_each_want_a_size_of_their_own(bundle_copy: Path) -> None:
    alter_model(bundle_copy, "dandruff", image_size=96)
    mixed = Predictor(Bundle.open(bundle_copy), "cpu")
    prepared = mixed.prepare(scalp_picture(100))
    assert sorted(tensor.shape[-1] for tensor in prepared.tensors.values()) == [64, 96]
    (prediction,) = mixed.predict([prepared])
    assert prediction is not None
    assert len(prediction.findings) == 6


def test_loading_makes_seven_resident_and_says_so(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="ml.predictor"):
        loaded = Predictor(bundle, "cpu")
    assert (loaded.models_resident, loaded.device, loaded.bundle) == (7, "cpu", bundle)
    (message,) = (record.getMessage() for record in caplog.records if record.name == "ml.predictor")
    assert message.startswith(f"7 models resident on cpu (openvino, {loaded.precision}) from bundle demo@1.0.0 in ")


def test_a_model_without_a_finite_answer_does_not_load(bundle_copy: Path) -> None:
    # Every value is finite, so the bundle verifies; what comes out of the head is not.
    alter_tensors(bundle_copy, "dandruff", {"_fc.weight": torch.full((4, 1280), 3e38)})
    with pytest.raises(ModelError, match="dandruff"):
        Predictor(Bundle.open(bundle_copy), "cpu")


def test_people_can_read_every_rejection_of_a_predictor() -> None:
    rejections = {code for union in get_args(Rejection) for code in get_args(union)}
    assert rejections == set(REJECTIONS)
