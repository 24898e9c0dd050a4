"""Figures of merit, intervals and calibration: against values worked out by hand and against the plain definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import metrics
from ml.errors import RunInvalid
from ml.evaluation.answers import Raw
from ml.evaluation.bootstrap import Resampling
from ml.evaluation.calibration import (
    Abstention,
    Calibration,
    Fitted,
    choose_threshold,
    fit_temperature,
    negative_log_likelihood,
)
from ml.outputs import Output, outputs_for

#: Rows are labels, columns answers: 7 of 10 right, 9 at most one off.
CONFUSION = np.array([[3, 1, 0, 0], [0, 2, 0, 1], [0, 1, 2, 0], [0, 0, 0, 0]], dtype=float)

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)
SURE = st.lists(st.tuples(st.sampled_from([0.3, 0.4, 0.55, 0.7, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


def columns(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    truth, answers = zip(*pairs, strict=True)
    return np.array(truth), np.array(answers)


def drawn(output: Output, rows: int = 400, times: float = 1.0, views: int = 1, seed: int = 0) -> tuple[Raw, np.ndarray]:
    """Raw outputs, and labels drawn with the probabilities which the outputs over `times` name."""
    rng = np.random.default_rng(seed)
    calibrated = Raw(rng.normal(scale=2, size=(views, rows, outputs_for(4, output))), output)
    labels = (calibrated.probabilities().cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1)
    return Raw(calibrated.values * times, output), labels


def test_figures_of_a_small_matrix_are_those_worked_out_by_hand() -> None:
    assert metrics.accuracy(CONFUSION) == pytest.approx(0.7)
    assert metrics.within_one(CONFUSION) == pytest.approx(0.9)
    assert metrics.majority_baseline(CONFUSION) == pytest.approx(0.4)
    assert metrics.recalls(CONFUSION)[:3] == pytest.approx([3 / 4, 2 / 3, 2 / 3])
    assert math.isnan(metrics.recalls(CONFUSION)[3])
    # F1: 6/7, 4/7, 4/5, and 0 for the grade that was answered once and never true.
    assert metrics.macro_f1(CONFUSION) == pytest.approx((6 / 7 + 4 / 7 + 4 / 5 + 0) / 4)
    # Squares off the diagonal 1 + 4 + 1 = 6; by chance (4·(4 + 4·2 + 9·1) + 3·(3 + 2 + 4·1) + 3·(4·3 + 4 + 1)) / 10.
    assert metrics.quadratic_weighted_kappa(CONFUSION) == pytest.approx(1 - 6 / 16.2)


def test_a_grade_that_is_never_true_or_predicted_is_left_out_of_macro_f1() -> None:
    without = CONFUSION.copy()
    without[1] = [0, 3, 0, 0]
    assert metrics.macro_f1(without) == pytest.approx((6 / 7 + 3 / 4 + 4 / 5) / 3)
    assert metrics.macro_f1(without) == pytest.approx(metrics.macro_f1(without[:3, :3]))


def test_kappa_of_agreement_of_a_constant_and_of_a_single_grade() -> None:
    kappa = metrics.quadratic_weighted_kappa
    assert kappa(np.diag([4.0, 3, 2, 1])) == 1
    assert kappa(np.array([[0, 5.0, 0, 0], [0, 3, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]])) == 0
    assert math.isnan(kappa(np.diag([4.0, 0, 0, 0])))
    assert kappa(np.fliplr(np.diag([1.0, 1, 1, 1]))) == -1


@settings(deadline=None)
@given(PAIRS)
def test_figures_of_any_answers_are_those_of_their_definitions(pairs: list[tuple[int, int]]) -> None:
    truth, answers = columns(pairs)
    confusion = metrics.confusion_matrix(truth, answers, 4)
    n = len(pairs)
    assert confusion.tolist() == [[sum(pair == (t, a) for pair in pairs) for a in range(4)] for t in range(4)]
    assert metrics.accuracy(confusion) == pytest.approx(sum(t == a for t, a in pairs) / n)
    f1 = []
    for grade in sorted({grade for pair in pairs for grade in pair}):
        hits = sum(t == a == grade for t, a in pairs)
        precision = hits / max(1, sum(a == grade for _, a in pairs))
        recall = hits / max(1, sum(t == grade for t, _ in pairs))
        f1.append(2 * precision * recall / (precision + recall) if hits else 0)
    assert metrics.macro_f1(confusion) == pytest.approx(sum(f1) / len(f1))
    expected = sum((t - a) ** 2 for t in truth for a in answers) / n**2
    if expected:
        observed = sum((t - a) ** 2 for t, a in pairs) / n
        assert metrics.quadratic_weighted_kappa(confusion) == pytest.approx(1 - observed / expected)
    else:
        assert math.isnan(metrics.quadratic_weighted_kappa(confusion))


def test_figures_of_a_stack_of_matrices_are_those_of_each() -> None:
    stack = np.random.default_rng(0).integers(0, 9, (5, 4, 4)).astype(float)
    figures: list[Callable[[np.ndarray], np.ndarray]] = [
        metrics.accuracy,
        metrics.within_one,
        metrics.recalls,
        metrics.macro_f1,
        metrics.quadratic_weighted_kappa,
        metrics.majority_baseline,
    ]
    for figure in figures:
        assert np.allclose(figure(stack), np.stack([figure(each) for each in stack]))


def test_the_calibration_error_is_the_mean_gap_of_the_bins() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55, 0.55, 0.55])
    right = np.array([True, True, True, False, False, False])
    # Two bins: |1 - 0.95| over two answers, |0.25 - 0.55| over four.
    assert metrics.calibration_error(confidence, right) == pytest.approx((2 * 0.05 + 4 * 0.3) / 6)
    table = metrics.reliability(confidence, right)
    assert table.counts.sum() == 6
    assert table.accuracy[metrics.bin_of(np.array([0.55]))[0]] == pytest.approx(0.25)
    assert np.isnan(table.accuracy[0])


def test_bins_hold_their_upper_bound_as_in_the_paper() -> None:
    assert metrics.bin_of(np.array([0.0, 0.1, 0.2, 0.20001, 1.0]), bins=5).tolist() == [0, 0, 0, 1, 4]


@settings(deadline=None)
@given(SURE)
def test_risk_at_each_coverage_is_the_share_of_errors_above_a_threshold(answers: list[tuple[float, bool]]) -> None:
    confidence, right = (np.array(column) for column in zip(*answers, strict=True))
    curve = metrics.risk_coverage(confidence, right)
    area = 0.0
    for threshold, coverage, risk in zip(
        sorted(set(confidence), reverse=True), curve.coverage, curve.risk, strict=True
    ):
        let_in = confidence >= threshold
        assert coverage == pytest.approx(let_in.mean())
        assert risk == pytest.approx(1 - right[let_in].mean())
        area += (confidence == threshold).mean() * risk
    assert curve.area == pytest.approx(area)


def test_aurc_is_lowest_if_errors_have_the_lowest_confidence() -> None:
    confidence = np.linspace(0.3, 0.9, 10)
    knows = metrics.risk_coverage(confidence, confidence > 0.5).area
    errs = metrics.risk_coverage(confidence, confidence < 0.7).area
    assert knows < 0.2 < errs


def test_resampling_persons_counts_all_pictures_of_each_drawn_person() -> None:
    rng = np.random.default_rng(1)
    persons = [f"{number:04d}" for number in rng.integers(0, 7, 60)]
    truth, answers = rng.integers(0, 4, (2, 60))
    resampling = Resampling.of(persons, rounds=20, seed=5)
    confusions = resampling.confusions(truth, answers, 4)
    assert resampling.persons == len(set(persons))
    for counts, confusion in zip(resampling.draws, confusions, strict=True):
        assert counts.sum() == resampling.persons
        pictures = [
            i
            for person, count in enumerate(counts)
            for i in np.flatnonzero(resampling.person_of == person).repeat(count)
        ]
        assert np.array_equal(confusion, metrics.confusion_matrix(truth[pictures], answers[pictures], 4))


def test_intervals_are_wider_where_the_pictures_of_a_person_are_alike() -> None:
    rng = np.random.default_rng(2)
    by_person = rng.random(30) < 0.7
    right = by_person.repeat(20).astype(int)
    truth = np.ones(600, dtype=int)

    def width(persons: list[str]) -> float:
        resampling = Resampling.of(persons, seed=0)
        confusions = resampling.confusions(truth, right, 4)
        estimate = resampling.estimate(float(right.mean()), metrics.accuracy(confusions))
        assert estimate.low < estimate.value < estimate.high
        return estimate.high - estimate.low

    clustered = width([str(index // 20) for index in range(600)])
    alone = width([str(index) for index in range(600)])
    # For alike pictures only the 30 persons count: sqrt(20) times as wide.
    assert clustered / alone == pytest.approx(math.sqrt(20), rel=0.15)


def test_the_interval_of_independent_pictures_matches_the_normal_one() -> None:
    truth, answers = np.ones(400, dtype=int), (np.arange(400) % 4 > 0).astype(int)
    resampling = Resampling.of([str(index) for index in range(400)], rounds=4000)
    estimate = resampling.estimate(0.75, metrics.accuracy(resampling.confusions(truth, answers, 4)))
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert (estimate.low, estimate.high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.004)


def test_one_person_gives_no_interval_and_the_same_seed_the_same_draws() -> None:
    estimate = Resampling.of(["0001"] * 5).estimate(0.5, np.full(1000, 0.5))
    assert math.isnan(estimate.low)
    assert math.isnan(estimate.high)
    first, second = (Resampling.of(["a", "b", "c"], seed=3).draws for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, Resampling.of(["a", "b", "c"], seed=4).draws)


@pytest.mark.parametrize("output", ["softmax", "corn"])
@pytest.mark.parametrize("views", [1, 3])
def test_the_likelihood_is_that_of_the_probabilities(output: Output, views: int) -> None:
    raw, grades = drawn(output, views=views)
    wanted = -np.log(raw.probabilities(1.7)[np.arange(len(grades)), grades]).mean()
    assert negative_log_likelihood(raw, grades, 1.7) == pytest.approx(wanted)


@pytest.mark.parametrize("output", ["softmax", "corn"])
@pytest.mark.parametrize("times", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("views", [1, 4])
def test_the_fitted_temperature_undoes_what_the_outputs_were_multiplied_by(
    output: Output, times: float, views: int
) -> None:
    raw, grades = drawn(output, rows=8000, times=times, views=views)
    assert fit_temperature(raw, grades) == pytest.approx(times, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["softmax", "corn"]), st.floats(0.2, 5))
def test_no_other_temperature_has_a_smaller_loss(seed: int, output: Output, times: float) -> None:
    raw, grades = drawn(output, rows=30, times=times, seed=seed)
    least = negative_log_likelihood(raw, grades, fit_temperature(raw, grades))
    assert least <= min(negative_log_likelihood(raw, grades, each) for each in np.geomspace(0.05, 20, 200)) + 1e-9


def test_overconfident_outputs_are_better_calibrated_after_scaling() -> None:
    raw, grades = drawn("softmax", rows=4000, times=4)
    errors = []
    for temperature in (1.0, fit_temperature(raw, grades)):
        probabilities = raw.probabilities(temperature)
        errors.append(metrics.calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == grades))
    assert errors[0] > 0.1
    assert errors[1] < 0.03


def test_findings_abstain_where_they_are_wrong_more_often_than_right() -> None:
    confidence = np.linspace(0.3, 0.99, 100)
    right = np.arange(100) >= 10
    # Ten wrong ones, then right ones: 15 abstain, ten of them wrong, and the threshold parts the 15th from the 16th.
    threshold = choose_threshold(confidence, right)
    assert threshold == pytest.approx((confidence[14] + confidence[15]) / 2)
    at = Abstention.at(threshold, confidence, right)
    assert (at.coverage, at.accuracy, at.abstained_accuracy) == pytest.approx((0.85, 1.0, 5 / 15))


def test_nothing_abstains_where_the_least_sure_are_right() -> None:
    confidence = np.linspace(0.3, 0.99, 100)
    assert choose_threshold(confidence, np.arange(100) < 90) == 0.0
    at = Abstention.at(0.0, confidence, np.ones(100, dtype=bool))
    assert at.coverage == 1
    assert math.isnan(at.abstained_accuracy)


@settings(deadline=None)
@given(SURE)
def test_a_threshold_withholds_no_more_than_allowed_and_only_poor_answers(
    answers: list[tuple[float, bool]],
) -> None:
    confidence, right = (np.array(column) for column in zip(*answers, strict=True))
    threshold = choose_threshold(confidence, right)
    below = confidence < threshold
    assert threshold not in confidence
    assert below.mean() <= 0.15
    assert not below.any() or right[below].mean() < 0.5


def test_a_calibration_survives_its_file_and_another_file_is_refused(tmp_path: Path) -> None:
    calibration = Calibration(
        part="validation", pictures=9, symptoms={"dandruff": Fitted(temperature=1.5, threshold=0.4)}
    )
    path = tmp_path / "calibration.json"
    calibration.save(path)
    assert Calibration.load(path) == calibration
    assert calibration.temperatures == {"dandruff": 1.5}
    assert calibration.thresholds == {"dandruff": 0.4}
    path.write_text('{"part": "validation"}')
    with pytest.raises(RunInvalid, match="not a calibration"):
        Calibration.load(path)
    with pytest.raises(RunInvalid, match="cannot be read"):
        Calibration.load(tmp_path / "none.json")
