"""Grades to draw: six a picture, balanced or as frequent as in the real set."""

from __future__ import annotations

import numpy as np

from ml.labels import GRADES, SYMPTOMS

#: Share of each grade (symptoms, grades) in the labels of AI Hub's scalp set (dataSetSn 216), counted over its
#: 91,156 distinct pictures.
GRADE_SHARES = np.array(
    (
        (0.828, 0.063, 0.077, 0.032),
        (0.199, 0.397, 0.350, 0.054),
        (0.324, 0.430, 0.185, 0.061),
        (0.953, 0.031, 0.011, 0.005),
        (0.598, 0.235, 0.135, 0.032),
        (0.741, 0.193, 0.054, 0.012),
    )
)

#: Cramér's V between the grades of fine scaling and of sebum, counted in the same labels. All other pairs are
#: below .08 and drawn independently.
SCALING_SEBUM_V = 0.448


def joint_shares() -> np.ndarray:
    """Shares (4, 4) of the grades of fine scaling and excess sebum together, with the margins of `GRADE_SHARES`.

    A mixture of independence and of the table in which scaling falls as sebum rises as strictly as the margins let
    it (the lower Fréchet bound). Cramér's V is proportional to the second one's weight, so it sets that. Scaling and
    sebum exclude each other: with this sign the rule for scalp types gives 28 % oily, 10 % sensitive, 7 % dry and
    0.7 % good, as in the real labels; with the other 23 %, 15 %, 0.7 % and 2.6 %.
    """
    scaling, sebum = GRADE_SHARES[0], GRADE_SHARES[1]
    independent = np.outer(scaling, sebum)
    low, high = scaling.cumsum(), (1 - sebum.cumsum()).clip(0)
    opposed = (np.minimum(low[:, None], high + sebum) - np.maximum(low[:, None] - scaling[:, None], high)).clip(0)
    weight = SCALING_SEBUM_V / cramers_v(opposed)
    joint: np.ndarray = (1 - weight) * independent + weight * opposed
    return joint


def cramers_v(joint: np.ndarray) -> float:
    """Cramér's V of a table of shares: 0 for independence, 1 where one variable tells the other."""
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float(np.sqrt(((joint - independent) ** 2 / independent).sum() / (min(joint.shape) - 1)))


def draw_grades(random: np.random.Generator, pictures: int, *, balanced: float) -> np.ndarray:
    """Grades (pictures, 6): a share `balanced` of them with each grade of each symptom as often as the others, the rest
    as frequent as in the real set, in which most scalps show few signs."""
    even = round(pictures * balanced)
    evenly = np.arange(even) % len(GRADES)
    both = random.choice(joint_shares().size, size=pictures - even, p=joint_shares().ravel())
    columns = [*np.divmod(both, len(GRADES))]
    columns += [random.choice(len(GRADES), size=pictures - even, p=shares) for shares in GRADE_SHARES[2:]]
    frequent = np.stack(columns, axis=1)
    rows = np.concatenate((np.stack([random.permutation(evenly) for _ in SYMPTOMS], axis=1), frequent))
    return rows if balanced in (0, 1) else random.permutation(rows)
