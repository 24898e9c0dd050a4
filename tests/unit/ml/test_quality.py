"""Exposure and sharpness: what is refused, and that the resolution of the photo makes no difference."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageFilter

from ml.data.synthetic import draw_scalp
from ml.quality import measure

#: Of scikit-image's photographs, those that it ships: sharp ones and one that was moved during the exposure.
PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {
    name: getattr(skimage.data, name)
    for name in ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass", "gravel", "page", "rocket")
}


def resized(photo: Image.Image, long_side: int) -> Image.Image:
    factor = long_side / max(photo.size)
    way = Image.Resampling.LANCZOS if factor < 1 else Image.Resampling.BICUBIC
    return photo.resize((round(photo.width * factor), round(photo.height * factor)), way)


def photograph(name: str) -> Image.Image:
    return Image.fromarray(PHOTOGRAPHS[name]()).convert("RGB")


@pytest.fixture(scope="module")
def scalps() -> list[Image.Image]:
    """Six of each degree, the least and the most hair among them, as the camera of the generator gives them."""
    return [draw_scalp(seed, (seed % 4,) * 6) for seed in range(12)]


def blurred(photo: Image.Image, sigma: float) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(sigma))


#: All fine and nothing coarse, so that a blur takes from either: the measure is made to miss these, not to refuse more.
TEXTURES = ("brick", "grass", "gravel")


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_one_photo_gets_the_same_verdict_at_every_resolution(name: str) -> None:
    sharp = photograph(name)
    for photo, verdict in (
        (sharp, None),
        (blurred(sharp, max(sharp.size) / 40), None if name in TEXTURES else "too_blurred"),
    ):
        found = [measure(resized(photo, long_side)) for long_side in (300, 640, 1600)]
        assert {quality.rejection for quality in found} == {verdict}
        sharpness = [quality.sharpness for quality in found]
        assert max(sharpness) < 1.2 * min(sharpness)
        assert np.ptp([quality.brightness for quality in found]) < 0.01


@pytest.mark.parametrize("long_side", [1500, 1600, 4000])
def test_a_photo_that_is_decoded_smaller_gets_the_same_verdict(long_side: int, scalps: list[Image.Image]) -> None:
    """The sharp, those at the limit and the blurred ones, as a JPEG decoder gives a half, a quarter or an eighth."""
    for scalp in scalps[:2]:
        for sigma in (0, 5, 10):
            photo = resized(blurred(scalp, sigma), long_side)
            file = io.BytesIO()
            photo.save(file, "JPEG", quality=90)
            whole = measure(Image.open(file).convert("RGB"))
            with Image.open(file) as smaller:
                smaller.draft(None, (640, 480))
                assert smaller.width <= long_side // 2 + 1
                found = measure(smaller, photo.size)
            assert found.rejection == whole.rejection
            assert found.sharpness == pytest.approx(whole.sharpness, rel=0.02)
            assert found.brightness == pytest.approx(whole.brightness, abs=0.005)


def test_scalps_are_sharp_enough_also_where_the_focus_is_soft(scalps: list[Image.Image]) -> None:
    assert [measure(scalp).rejection for scalp in scalps] == [None] * len(scalps)
    assert [measure(blurred(scalp, 4)).rejection for scalp in scalps] == [None] * len(scalps)


def test_scalps_of_which_the_lens_left_nothing_are_refused(scalps: list[Image.Image]) -> None:
    """Those that are not refused lie at the limit, and far below every real close-up, of which the least has .44."""
    measured = [measure(blurred(scalp, 10)) for scalp in scalps]
    assert [found.rejection for found in measured].count("too_blurred") >= 0.8 * len(scalps)
    assert max(found.sharpness for found in measured) < 0.4


def test_grain_does_not_pass_for_detail(scalps: list[Image.Image]) -> None:
    random = np.random.default_rng(0)
    for scalp in scalps[:4]:
        soft = np.asarray(blurred(scalp, 6), dtype=float)
        grainy = Image.fromarray(np.clip(soft + random.normal(0, 6, soft.shape), 0, 255).astype(np.uint8))
        assert measure(grainy).sharpness < measure(blurred(scalp, 4)).sharpness


@pytest.mark.parametrize(("gain", "verdict"), [(0.06, "too_dark"), (0.4, None), (3.5, "too_bright")])
def test_exposure_is_refused_where_nothing_can_be_seen(
    gain: float, verdict: str | None, scalps: list[Image.Image]
) -> None:
    for scalp in scalps:
        exposed = scalp.point([min(255, round(level * gain)) for level in range(256)] * 3)
        assert measure(exposed).rejection == verdict


def test_the_black_mask_of_a_scope_is_no_darkness(scalps: list[Image.Image]) -> None:
    rows, columns = np.mgrid[:480, :640]
    inside = np.hypot(rows - 240, columns - 320) < 240
    masked = Image.fromarray(np.asarray(scalps[0]) * inside[..., None].astype(np.uint8))
    quality = measure(masked)
    assert quality.rejection is None
    assert quality.dark == pytest.approx(1 - np.pi / 4 * 3 / 4, abs=0.02)


@pytest.mark.parametrize(("level", "verdict"), [(0, "too_dark"), (128, None), (255, "too_bright")])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (641, 479), (3, 900)])
def test_an_even_frame_of_any_size_is_measured(level: int, verdict: str | None, size: tuple[int, int]) -> None:
    quality = measure(Image.new("RGB", size, (level,) * 3))
    assert (quality.rejection, quality.contrast) == (verdict, 0)
    assert quality.brightness == pytest.approx(level / 255)
    assert quality.sharpness == pytest.approx(1)


@pytest.mark.parametrize("size", [(640, 480), (333, 1001), (7, 900), (1601, 1199)])
def test_brightness_weighs_every_cell_of_any_size_alike(size: tuple[int, int]) -> None:
    luma = np.random.default_rng(0).integers(0, 256, size[::-1]).astype(np.uint8)
    rows, columns = (max(16, round(320 * side / max(size))) for side in luma.shape)
    cells = [
        band[:, c * size[0] // columns : max((c + 1) * size[0] // columns, c * size[0] // columns + 1)].mean()
        for r in range(rows)
        for band in [luma[r * size[1] // rows : max((r + 1) * size[1] // rows, r * size[1] // rows + 1)]]
        for c in range(columns)
    ]
    quality = measure(Image.fromarray(luma).convert("RGB"))
    assert quality.brightness == pytest.approx(np.mean(cells) / 255, abs=1e-12)
    assert quality.contrast == pytest.approx(np.std(cells) / 255, abs=1e-12)


def test_the_grid_is_the_mean_of_whole_pixels() -> None:
    """A board of 2-pixel squares at 640 pixels: each cell is one square, so no mean of 2 × 2 differs from another."""
    squares = np.indices((240, 320)).sum(axis=0) % 2 * 255
    board = Image.fromarray(squares.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)).convert("RGB")
    quality = measure(board)
    assert (quality.dark, quality.bright, quality.contrast) == (0.5, 0.5, pytest.approx(0.5))
    assert quality.sharpness == pytest.approx(1)
