"""A photo is turned the right way."""

from __future__ import annotations

import pytest
from PIL import ImageColor

from backend.analyses.photos import (
    CleanPhoto,
    photo_clean,
)
from tests.support.good_photos import (
    STORED,
    heic_turned,
    heic_turned_in_exif_only,
    photo_turned,
)
from tests.support.photo_files import (
    exif_block,
)
from tests.support.pictures import CORNERS, encoded, quadrants
from tests.unit.photos.pixels import color_at, near

PLACES = {
    "top left": (0.2, 0.2),
    "top right": (0.8, 0.2),
    "bottom left": (0.2, 0.8),
    "bottom right": (0.8, 0.8),
}


def assert_upright(clean: CleanPhoto) -> None:
    assert (clean.width, clean.height) == (320, 192)
    for corner, (x, y) in PLACES.items():
        assert near(color_at(clean, x, y), ImageColor.getrgb(CORNERS[corner]), by=20), corner


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_the_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    assert_upright(photo_clean(photo_turned(orientation, kind)))


@pytest.mark.parametrize("orientation", STORED)
def test_a_heic_is_turned_exactly_once(orientation: int) -> None:
    data = heic_turned(orientation)
    assert orientation == 1 or b"irot" in data or b"imir" in data
    assert_upright(photo_clean(data))


def test_a_heic_is_not_turned_by_exif() -> None:
    assert_upright(photo_clean(heic_turned_in_exif_only()))


def test_an_orientation_that_does_not_exist_turns_nothing() -> None:
    assert_upright(photo_clean(encoded(quadrants(), exif=exif_block(9))))
