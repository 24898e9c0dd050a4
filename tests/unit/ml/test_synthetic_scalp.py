"""Synthetic scalps: what a seed fixes, and what each grade of each symptom does to a picture."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

from ml.data.synthetic import SIZE, draw_head, draw_non_scalp, draw_scalp
from ml.data.synthetic.glints import strew_glints
from ml.data.synthetic.grades import draw_grades
from ml.data.synthetic.hair import grow, lose
from ml.data.synthetic.others import KINDS
from ml.data.synthetic.view import PARTED_BELOW, View, choose_view
from ml.labels import SYMPTOMS

SEEDS = range(3)


@functools.cache
def pixels(seed: int, symptom: int = 0, grade: int = 0) -> np.ndarray:
    """The pixels (height, width, 3) of a scalp that shows one symptom at most."""
    grades = [0] * len(SYMPTOMS)
    grades[symptom] = grade
    return np.asarray(draw_scalp(seed, grades)).astype(int)


def whitened(picture: np.ndarray, good: np.ndarray) -> float:
    """Share of the pixels that are clearly brighter in all colors than on the good scalp of the same seed."""
    return float(((picture - good).min(axis=2) > 18).mean())


def reddened(picture: np.ndarray, good: np.ndarray) -> float:
    """How much of its share in all light green has lost, as it does to blood."""
    return float(good[..., 1].sum() / good.sum() - picture[..., 1].sum() / picture.sum())


def yellowed(picture: np.ndarray, good: np.ndarray) -> float:
    return float(good[..., 2].sum() / good.sum() - picture[..., 2].sum() / picture.sum())


def bared(picture: np.ndarray, good: np.ndarray) -> float:
    """Share of the pixels that are no longer dark beside the skin, since no hair covers them."""
    dark = [(each.mean(axis=2) < 0.6 * np.median(each.mean(axis=2))).mean() for each in (picture, good)]
    return float(dark[1] - dark[0])


@pytest.mark.parametrize(
    ("symptom", "effect"),
    [
        ("fine_scaling", whitened),
        ("excess_sebum", whitened),
        ("excess_sebum", yellowed),
        ("interfollicular_erythema", reddened),
        ("follicular_erythema_pustules", reddened),
        ("dandruff", whitened),
        ("hair_loss", bared),
    ],
)
def test_a_sign_grows_with_its_grade(symptom: str, effect: Callable[[np.ndarray, np.ndarray], float]) -> None:
    number = [each.key for each in SYMPTOMS].index(symptom)
    effects = [np.mean([effect(pixels(seed, number, grade), pixels(seed)) for seed in SEEDS]) for grade in range(4)]
    assert effects[0] == 0
    assert np.diff(effects).min() > 0.0005


@pytest.mark.parametrize("symptom", range(len(SYMPTOMS)))
def test_a_grade_changes_nothing_but_its_own_sign(symptom: int) -> None:
    """What is beside a mild sign is the same to the last bit, so skin, hairs, noise and JPEG were the same."""
    same = [(pixels(seed, symptom, 1) == pixels(seed)).all(axis=2).mean() for seed in SEEDS]
    assert np.mean(same) > 0.2


def test_hair_loss_leaves_the_other_hairs_where_they_were() -> None:
    for seed in range(30):
        full = grow(seed, seed, choose_view(seed))
        before = {tuple(hair.root): hair for follicle in full for hair in follicle.hairs}
        fewer = dict(before)
        for grade in (1, 2, 3):
            left = {tuple(hair.root): hair for follicle in lose(full, grade, seed) for hair in follicle.hairs}
            assert left.keys() <= fewer.keys()
            assert len(left) < len(fewer) or len(before) < 12
            assert all(
                (hair.angle, hair.bend) == (before[root].angle, before[root].bend) for root, hair in left.items()
            )
            assert all(hair.width < before[root].width or hair.width == 1 for root, hair in left.items())
            fewer = left


def test_a_good_scalp_shows_more_and_thinner_hairs_the_wider_its_field() -> None:
    scales, counts, widths = [], [], []
    for seed in range(100):
        view = choose_view(seed)
        follicles = grow(seed, seed, view)
        assert {len(follicle.hairs) for follicle in follicles} <= {1, 2, 3}
        hairs = [hair for follicle in follicles for hair in follicle.hairs]
        scales.append(view.scale)
        counts.append(len(hairs))
        widths.append(np.mean([hair.width for hair in hairs]))
    assert min(scales) < 40
    assert max(scales) > 350
    assert 2 <= min(counts) < max(counts) <= 700
    assert np.corrcoef(np.log(scales), np.log(counts))[0, 1] < -0.9
    assert np.corrcoef(scales, widths)[0, 1] > 0.9
    scope = [80 <= scale <= 210 for scale in scales]
    assert 6 <= np.median(np.array(widths)[scope]) <= 16


def test_hair_is_parted_where_the_field_is_wider_than_a_scope_s() -> None:
    for seed in range(60):
        view = choose_view(seed)
        assert (view.parting is not None) == (view.scale < PARTED_BELOW)
        if view.parting:
            along = view.parting[1]
            away = [np.sin(each.angle - along) * view.beside(each.root) for each in grow(seed, seed, view)]
            assert np.mean(np.array(away) > 0) > 0.95


def test_glints_range_from_hardly_any_to_the_whole_field() -> None:
    shares = []
    for seed in range(30):
        scene = np.zeros((3, 480, 640), np.float32)
        strew_glints(scene, seed, choose_view(seed))
        shares.append((scene[1] > 0.2).mean())
    assert np.quantile(shares, 0.1) < 0.005 < 0.03 < np.quantile(shares, 0.9)


def test_the_same_seed_gives_the_same_picture_byte_for_byte() -> None:
    grades = (1, 2, 3, 1, 2, 1)
    first, again, other = draw_scalp(5, grades), draw_scalp(5, grades), draw_scalp(6, grades)
    assert (first.size, first.mode) == (SIZE, "RGB")
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_pictures_of_one_person_share_the_hair() -> None:
    def widths(seed: int, person: int) -> float:
        view = View(130.0, None)
        return float(np.mean([hair.width for follicle in grow(seed, person, view) for hair in follicle.hairs]))

    of_persons = [[widths(seed, person) for seed in range(6)] for person in range(8)]
    assert np.mean([np.std(of_person) for of_person in of_persons]) < np.std(np.mean(of_persons, axis=1))
    assert draw_scalp(5, [0] * 6, person=1).tobytes() != draw_scalp(5, [0] * 6, person=2).tobytes()


@pytest.mark.parametrize("grades", [(0,) * 5, (0,) * 7, (0, 0, 0, 0, 0, 4), (0, 0, -1, 0, 0, 0)])
def test_what_is_not_six_grades_is_refused(grades: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="six grades"):
        draw_scalp(0, grades)


def test_colors_are_spread_as_on_real_scopes() -> None:
    """Means of two sets of real photographs: .60 .58 .54 of AI Hub's, .51 .52 .53 of "scalp-data" (CC BY 4.0)."""
    grades = draw_grades(np.random.default_rng(1), 24, balanced=False)
    pictures = [np.asarray(draw_scalp(100 + n, row)) / 255 for n, row in enumerate(grades.tolist())]
    mean = np.mean([picture.mean(axis=(0, 1)) for picture in pictures], axis=0)
    within = np.mean([picture.std(axis=(0, 1)) for picture in pictures], axis=0)
    assert np.abs(mean - (0.555, 0.55, 0.535)).max() < 0.05
    assert np.abs(within - (0.160, 0.163, 0.165)).max() < 0.03


def test_what_is_no_scalp_comes_in_many_kinds_and_is_fixed_by_the_seed() -> None:
    pictures = [draw_non_scalp(seed) for seed in range(len(KINDS))]
    assert {(picture.size, picture.mode) for picture in pictures} == {(SIZE, "RGB")}
    assert len({picture.tobytes() for picture in pictures}) == len(KINDS)
    assert [draw_non_scalp(seed).tobytes() for seed in range(4)] == [picture.tobytes() for picture in pictures[:4]]


def test_heads_from_afar_are_drawn_from_their_seeds_alone() -> None:
    heads = [draw_head(seed) for seed in range(6)]
    assert {(head.mode, head.size) for head in heads} == {("RGB", SIZE)}
    assert len({head.tobytes() for head in heads}) == 6
    assert draw_head(2).tobytes() == heads[2].tobytes()
