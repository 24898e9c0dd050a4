"""The fit of levels, shares and the gate's domain, on scores and features whose truth is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.adaptation.domain import stretch
from ml.adaptation.ordinal import fit_levels
from ml.adaptation.shares import aihub_shares, read_shares, smooth_shares
from ml.errors import AdaptationInvalid
from ml.gate import distances
from ml.gate.distance import BIAS, DIRECTIONS, WEIGHT
from ml.labels import SYMPTOMS
from ml.levels import Levels
from ml.metrics import confusion_matrix, quadratic_weighted_kappa

SHARES = np.array([0.4, 0.3, 0.2, 0.1])
COUNTS = [20, 50, 400]


def world(count: int, seed: int, reliability: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a grader that grades nearly all photographs high, and the true grades, of `count` photographs."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=count)
    score = reliability * truth + np.sqrt(1 - reliability**2) * random.normal(size=count)
    cuts = np.quantile(np.random.default_rng(0).normal(size=100_000), np.cumsum(SHARES)[:-1])
    return 9.0 + 4.0 * score, np.searchsorted(cuts, truth)


def probabilities(levels: Levels, scores: np.ndarray) -> np.ndarray:
    return levels.of_scores(torch.from_numpy(scores)).numpy()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("reliability", [0.3, 0.6, 0.95])
def test_the_mean_probability_of_each_grade_is_its_share(count: int, reliability: float) -> None:
    scores, _ = world(count, seed=1)
    levels = fit_levels(scores, SHARES, reliability)
    assert probabilities(levels, scores).mean(axis=0) == pytest.approx(SHARES, abs=1e-6)


@pytest.mark.parametrize("count", COUNTS)
def test_the_ranking_of_the_photographs_stays(count: int) -> None:
    scores, _ = world(count, seed=2)
    expected = probabilities(fit_levels(scores, SHARES, 0.6), scores) @ np.arange(4)
    assert np.array_equal(np.argsort(expected), np.argsort(scores))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [20, 50])
def test_few_photographs_fit_levels_that_are_right_on_others(count: int, seed: int) -> None:
    levels = fit_levels(world(count, seed=10 + seed)[0], SHARES, 0.7)
    scores, grades = world(4000, seed=99)
    others = probabilities(levels, scores)
    assert abs((others @ np.arange(4)).mean() - grades.mean()) < 0.35
    confidence, right = others.max(axis=1), others.argmax(axis=1) == grades
    assert abs(confidence.mean() - right.mean()) < 0.12


def test_a_grader_that_calls_everybody_ill_agrees_better_afterwards() -> None:
    """Before, as of a softmax whose cutpoints lie where its training's grades lay."""
    scores, grades = world(2000, seed=3)
    levels = fit_levels(world(50, seed=4)[0], SHARES, 0.7)
    before = Levels(slope=1.0, cutpoints=(-2.0, 1.0, 4.0))
    agreement = [
        float(quadratic_weighted_kappa(confusion_matrix(grades, probabilities(each, scores).argmax(axis=1), 4)))
        for each in (before, levels)
    ]
    assert agreement[0] < 0.2
    assert agreement[1] > 0.5


def test_a_less_reliable_grader_is_less_sure() -> None:
    scores, _ = world(50, seed=5)
    sure = [probabilities(fit_levels(scores, SHARES, each), scores).max(axis=1).mean() for each in (0.2, 0.5, 0.9)]
    assert sure == sorted(sure)


def test_one_absurd_score_hardly_changes_the_others() -> None:
    scores, _ = world(50, seed=6)
    absurd = np.append(scores, 600.0)
    plain, disturbed = (probabilities(fit_levels(each, SHARES, 0.6), scores) for each in (scores, absurd))
    assert np.abs(plain - disturbed).max() < 0.1


def test_a_grader_that_says_always_the_same_gives_the_shares() -> None:
    levels = fit_levels(np.full(30, 7.0), SHARES, 0.6)
    assert probabilities(levels, np.array([7.0]))[0] == pytest.approx(SHARES, abs=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.floats(-69, 69, allow_subnormal=False), min_size=20, max_size=60),
    st.lists(st.floats(0, 1, allow_subnormal=False), min_size=4, max_size=4).filter(lambda row: sum(row) > 0.1),
    st.floats(0.05, 0.99),
)
def test_any_scores_and_shares_give_levels(scores: list[float], shares: list[float], reliability: float) -> None:
    wanted = smooth_shares(np.array(shares) / sum(shares))
    levels = fit_levels(np.array(scores), wanted, reliability)
    assert probabilities(levels, np.array(scores)).mean(axis=0) == pytest.approx(wanted, abs=1e-5)


def test_a_reliability_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="reliability"):
        fit_levels(np.arange(20.0), SHARES, 1.0)


def test_shares_are_read_from_csv_and_from_json(tmp_path: Path) -> None:
    (tmp_path / "shares.csv").write_text("symptom,good,mild,moderate,severe\ndandruff,0.4,0.3,0.2,0.1\n\n")
    (tmp_path / "shares.json").write_text(json.dumps({"dandruff": [0.4, 0.3, 0.2, 0.1]}))
    for name in ("shares.csv", "shares.json"):
        shares = read_shares(tmp_path / name)
        assert list(shares) == ["dandruff"]
        assert shares["dandruff"] == pytest.approx(SHARES)


def test_without_a_file_the_shares_are_those_of_ai_hub_s_labels() -> None:
    shares = aihub_shares()
    assert list(shares) == [symptom.key for symptom in SYMPTOMS]
    assert shares["fine_scaling"] == pytest.approx([0.828, 0.063, 0.077, 0.032])
    assert [float(row.sum()) for row in shares.values()] == pytest.approx([1.0] * 6)


def test_a_grade_that_never_occurs_still_gets_a_small_share(tmp_path: Path) -> None:
    (tmp_path / "shares.csv").write_text("hair_loss,1,0,0,0\n")
    assert read_shares(tmp_path / "shares.csv")["hair_loss"].min() > 0.0009


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("shares.csv", "", "has no shares"),
        ("shares.csv", "itching,0.4,0.3,0.2,0.1", "not a symptom"),
        ("shares.csv", "dandruff,0.4,0.3,0.2", "four numbers"),
        ("shares.csv", "dandruff,0.4,0.3,0.2,many", "four numbers"),
        ("shares.csv", "dandruff,0.4,0.3,0.2,0.3", "sum to 1"),
        ("shares.csv", "dandruff,1.4,-0.4,0,0", "sum to 1"),
        ("shares.csv", "dandruff,nan,0.4,0.3,0.3", "four numbers"),
        ("shares.json", "{", "not JSON"),
        ("shares.json", "[]", "by symptom"),
        ("shares.json", '{"dandruff": 1}', "four numbers"),
        ("shares.json", '{"dandruff": [true, 0, 0, 0]}', "four numbers"),
    ],
)
def test_shares_that_make_no_sense_are_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AdaptationInvalid, match=says):
        read_shares(tmp_path / name)


def test_a_file_of_shares_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdaptationInvalid, match="absent"):
        read_shares(tmp_path / "absent.csv")


def features(count: int, seed: int, *, away: float) -> np.ndarray:
    """Features of a scope that lies `away` from the known scalps, whose distances are about 0.5."""
    random = np.random.default_rng(seed)
    rows = random.normal(0, 0.5 / np.sqrt(DIRECTIONS), (count, DIRECTIONS))
    rows[:, 0] += away
    return rows.astype(np.float32)


TENSORS = {WEIGHT: torch.eye(DIRECTIONS), BIAS: torch.zeros(DIRECTIONS)}


@pytest.mark.parametrize("count", [20, 50])
def test_a_stretched_domain_holds_the_new_scope_and_the_old(count: int) -> None:
    stretched = stretch(features(count, 1, away=0.75), TENSORS)
    assert stretched is not None
    others = torch.from_numpy(features(1000, 2, away=0.75))
    assert float((distances(others, TENSORS) <= 1).double().mean()) > 0.9
    assert float((distances(others, stretched.tensors) <= stretched.reach).double().mean()) > 0.95
    anything = torch.randn(1000, DIRECTIONS, generator=torch.Generator().manual_seed(3))
    assert bool((distances(anything, stretched.tensors) <= distances(anything, TENSORS) + 1e-6).all())


def test_a_stretched_domain_stays_narrow_in_other_directions() -> None:
    stretched = stretch(features(50, 1, away=0.75), TENSORS)
    assert stretched is not None
    elsewhere = torch.zeros(1, DIRECTIONS)
    elsewhere[0, 5] = 1.3
    assert float(distances(elsewhere, stretched.tensors)) > 1


def test_a_scope_that_lies_inside_already_stretches_nothing() -> None:
    assert stretch(features(50, 1, away=0.0), TENSORS) is None
