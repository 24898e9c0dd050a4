"""Losses over ordered grades, compared with their formulas written out."""

from __future__ import annotations

import math

import numpy as np
import torch

from ml.outputs import to_probabilities
from ml.training.losses import class_distance, corn, create_loss, cross_entropy, grade_weights, rank_marked
from ml.training.recipe import load_recipe

RANDOM = torch.Generator().manual_seed(3)
OUTPUTS = torch.randn(7, 2, 4, generator=RANDOM)
RANKS = torch.randn(7, 2, 3, generator=RANDOM)
TRUTH = torch.randint(0, 4, (7, 2), generator=RANDOM)


def test_class_distance_weighs_each_wrong_grade_by_its_squared_distance() -> None:
    probabilities = OUTPUTS.double().softmax(dim=-1)
    each = class_distance(OUTPUTS.double(), TRUTH)
    for row in range(7):
        for symptom in range(2):
            truth = int(TRUTH[row, symptom])
            wanted = -sum(
                math.log(1 - float(probabilities[row, symptom, grade])) * (grade - truth) ** 2 for grade in range(4)
            )
            assert math.isclose(float(each[row, symptom]), wanted, rel_tol=1e-9)


def test_class_distance_stays_finite_where_a_wrong_grade_is_certain() -> None:
    outputs = torch.tensor([[[80.0, 0.0, 0.0, 0.0]]], requires_grad=True)
    loss = class_distance(outputs, torch.tensor([[3]])).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()


def test_corn_asks_each_threshold_of_those_that_reach_it_alone() -> None:
    each = corn(RANKS.double(), TRUTH)
    for row in range(7):
        for symptom in range(2):
            truth, wanted = int(TRUTH[row, symptom]), 0.0
            for rank in range(3):
                above = 1 / (1 + math.exp(-float(RANKS[row, symptom, rank])))
                if truth > rank:
                    wanted -= math.log(above)
                elif truth == rank:
                    wanted -= math.log(1 - above)
            assert math.isclose(float(each[row, symptom]), wanted, rel_tol=1e-6)


def test_corn_is_the_negative_log_of_its_own_probability_of_the_truth() -> None:
    probabilities = to_probabilities(RANKS.double(), "corn")
    assert torch.allclose(probabilities.sum(dim=-1), torch.ones(7, 2, dtype=torch.double))
    of_truth = probabilities.gather(-1, TRUTH[..., None]).squeeze(-1)
    assert torch.allclose(corn(RANKS.double(), TRUTH), -of_truth.log())


def test_label_smoothing_spreads_a_share_of_the_target_evenly() -> None:
    logs = OUTPUTS.log_softmax(dim=-1)
    right = -logs.gather(-1, TRUTH[..., None]).squeeze(-1)
    assert torch.allclose(cross_entropy(OUTPUTS, TRUTH, 0.1), 0.9 * right - 0.1 * logs.mean(dim=-1), atol=1e-6)


def test_rare_grades_weigh_more_and_the_average_picture_weighs_one() -> None:
    grades = np.array([[0, 1]] * 90 + [[3, 1]] * 10)
    weights = grade_weights(grades)
    assert weights[0, 3] / weights[0, 0] == np.float32(3)
    assert np.isclose(weights[0, grades[:, 0]].mean(), 1)
    assert weights[1].tolist() == [1, 1, 1, 1]


def test_scores_are_ranked_by_what_is_clearly_more_marked() -> None:
    unknown = float("nan")
    marked = torch.tensor([[0.3, unknown], [0.2, unknown], [0.0, 0.5], [unknown, 0.5]])
    scores = torch.tensor([[1.0, 9.0], [2.0, 9.0], [-1.0, 1.0], [7.0, 5.0]], requires_grad=True)
    # The pairs are (0, 2) and (1, 2) of the first symptom: 0.3 is not twice 0.2, equal shares say nothing.
    loss = rank_marked(scores, marked)
    assert torch.isclose(loss, torch.nn.functional.softplus(torch.tensor([-2.0, -3.0])).mean())
    loss.backward()
    assert scores.grad is not None
    assert (scores.grad[:2, 0] < 0).all()
    assert scores.grad[2, 0] > 0
    assert not scores.grad[3].any()
    assert not scores.grad[:, 1].any()
    assert float(rank_marked(torch.randn(3, 2), torch.full((3, 2), unknown))) == 0


def test_a_recipe_chooses_its_loss_and_balance() -> None:
    grades = TRUTH.numpy()
    balanced = load_recipe("v2-m-384")
    assert balanced.class_balance
    weights = torch.from_numpy(grade_weights(grades))
    each = class_distance(OUTPUTS, TRUTH) * torch.stack([weights[n][TRUTH[:, n]] for n in range(2)], dim=1)
    assert torch.isclose(create_loss(balanced, grades)(OUTPUTS, TRUTH), each.mean())
    plain = load_recipe("b0-224")
    assert torch.isclose(create_loss(plain, grades)(OUTPUTS, TRUTH), cross_entropy(OUTPUTS, TRUTH).mean())


def test_what_is_not_labeled_costs_nothing() -> None:
    outputs = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(1))
    truth = torch.tensor([[0, -1], [3, 2], [-1, -1], [1, 0], [-1, 3]])
    loss = create_loss(load_recipe("b0-224"), truth.numpy())(outputs, truth)
    each = cross_entropy(outputs, truth.clamp_min(0))
    assert torch.isclose(loss, each[truth >= 0].mean())
    nothing = create_loss(load_recipe("b0-224"), truth.numpy())(outputs, torch.full_like(truth, -1))
    assert float(nothing) == 0
    assert np.isfinite(grade_weights(np.full((3, 2), -1))).all()
