"""Levels: whatever their parameters, they make probabilities and reverse no ranking."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ml.bundle import Bundle
from ml.bundle.manifest import ModelSettings
from ml.errors import BundleInvalid
from ml.labels import GATE
from ml.levels import Levels, score
from ml.outputs import to_answers
from tests.support.ml_bundles import alter_model

GRADES = torch.arange(4, dtype=torch.float64)


def real(low: float, high: float, width: Literal[32, 64] = 64) -> st.SearchStrategy[float]:
    """torch is told to flush subnormal numbers, so hypothesis can't draw any (`ml.networks.registry`)."""
    return st.floats(low, high, width=width, allow_subnormal=False)


@st.composite
def levels(draw: st.DrawFn) -> Levels:
    first = draw(real(-50, 50))
    gaps = draw(st.lists(real(1e-3, 30), min_size=2, max_size=2))
    return Levels(slope=draw(real(1e-3, 20)), cutpoints=tuple(accumulate([first, *gaps])))


#: Raw outputs of two photos, as far apart as saturated networks give them.
TWO_PHOTOS = st.lists(st.lists(real(-60, 60, 32), min_size=4, max_size=4), min_size=2, max_size=2)


@settings(deadline=None)
@given(levels(), TWO_PHOTOS)
def test_levels_make_probabilities_that_sum_to_one(levels: Levels, outputs: list[list[float]]) -> None:
    calibrated = levels.apply(torch.tensor(outputs).double().softmax(dim=-1))
    assert bool((calibrated >= 0).all())
    torch.testing.assert_close(calibrated.sum(dim=-1), torch.ones(2, dtype=torch.float64), atol=1e-12, rtol=0)


@settings(deadline=None)
@given(levels(), TWO_PHOTOS)
def test_a_higher_score_never_gets_a_lower_expected_grade(levels: Levels, outputs: list[list[float]]) -> None:
    probabilities = torch.tensor(outputs).double().softmax(dim=-1)
    low, high = score(probabilities).sort().indices
    expected = levels.apply(probabilities) @ GRADES
    assert expected[high] >= expected[low] - 1e-12


@settings(deadline=None)
@given(levels(), TWO_PHOTOS, st.lists(real(0, 1), min_size=3, max_size=3))
def test_a_photo_likelier_above_each_grade_is_never_ranked_below(
    levels: Levels, outputs: list[list[float]], moved: list[float]
) -> None:
    """Where probability moves to the next grade, no expected grade may fall, the one after the levels no more."""
    lower = torch.tensor(outputs).double().softmax(dim=-1)
    moving = lower[:, :3] * torch.tensor(moved, dtype=torch.float64)
    nothing = torch.zeros(2, 1, dtype=torch.float64)
    higher = lower - torch.cat([moving, nothing], dim=1) + torch.cat([nothing, moving], dim=1)
    assert bool((levels.apply(higher) @ GRADES >= levels.apply(lower) @ GRADES - 1e-9).all())


@settings(deadline=None)
@given(levels(), levels(), st.lists(real(-20, 20), min_size=2, max_size=30))
def test_levels_on_levels_keep_the_order_of_expected_grades(first: Levels, second: Levels, at: list[float]) -> None:
    """Of a grader that is calibrated already, by an earlier adaptation say, the whole ranking stays."""
    calibrated = first.of_scores(torch.tensor(at))
    before, after = calibrated @ GRADES, second.apply(calibrated) @ GRADES
    order = before.argsort()
    # Differences that are smaller than what rounding leaves of them are ties.
    apart = before[order].diff() > 1e-9
    assert bool((after[order].diff()[apart] >= -1e-9).all())


def test_levels_are_the_proportional_odds_of_the_score() -> None:
    levels = Levels(slope=0.5, cutpoints=(-1.0, 0.5, 2.0))
    (row,) = levels.of_scores(torch.tensor([3.0])).numpy()
    above = 1 / (1 + np.exp([-2.5, -1.0, 0.5]))
    assert row == pytest.approx([1 - above[0], above[0] - above[1], above[1] - above[2], above[2]])


def test_saturated_answers_keep_their_order() -> None:
    outputs = torch.tensor([[0.0, 0, 0, 20], [0, 0, 0, 40], [0, 0, 0, 60]])[None]
    probabilities = to_answers(outputs, "softmax", 1.0, Levels(slope=0.02, cutpoints=(-1.0, 0.0, 1.0)))
    expected = probabilities @ GRADES
    assert expected.diff().min() > 0.01
    assert score(torch.tensor([0.0, 0, 0, 1])).isfinite()


def test_the_score_of_even_odds_is_nought_and_mirrors() -> None:
    assert float(score(torch.tensor([0.5, 0, 0, 0.5]))) == 0
    row = torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert float(score(row)) == pytest.approx(-float(score(row.flip(0))))
    assert float(score(row)) == pytest.approx(np.log([0.9 / 0.1, 0.7 / 0.3, 0.4 / 0.6]).mean())


@pytest.mark.parametrize(
    ("slope", "cutpoints"),
    [(0.0, (0.0, 1.0, 2.0)), (-1.0, (0.0, 1.0, 2.0)), (1.0, (0.0, 0.0, 1.0)), (1.0, (0.0, 2.0, 1.0))],
)
def test_levels_that_could_reverse_anything_are_refused(slope: float, cutpoints: tuple[float, float, float]) -> None:
    with pytest.raises(ValidationError):
        Levels(slope=slope, cutpoints=cutpoints)


def test_a_gate_has_no_levels(bundle_copy: Path) -> None:
    alter_model(bundle_copy, GATE.key, levels={"slope": 1.0, "cutpoints": [0.0, 1.0, 2.0]})
    with pytest.raises(BundleInvalid, match="no order"):
        Bundle.open(bundle_copy)


def test_settings_with_levels_survive_being_copied() -> None:
    levels = Levels(slope=1.0, cutpoints=(0.0, 1.0, 2.0))
    mean = (0.5, 0.5, 0.5)
    settings = ModelSettings(
        key="dandruff", architecture="efficientnet-b0", image_size=64, mean=mean, std=mean, classes=4, levels=levels
    )
    assert ModelSettings(**settings.model_dump()) == settings
    assert ModelSettings.model_validate_json(settings.model_dump_json()) == settings
