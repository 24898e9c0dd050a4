"""The colors of a photo stay what they are, whatever the file stores."""

from __future__ import annotations

import pytest
from PIL import Image

from backend.analyses.photos import (
    photo_clean,
)
from tests.support.good_photos import (
    photo_ycck,
)
from tests.support.photo_files import (
    photo_png,
)
from tests.support.photo_metadata import profile_with_red_and_green_swapped, srgb_profile
from tests.support.pictures import encoded
from tests.unit.photos.pixels import color_at, near


@pytest.mark.parametrize(
    ("ink", "color"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((51, 102, 127, 0), (204, 153, 128)),
    ],
)
def test_the_colors_of_a_cmyk_jpeg_are_right(ink: tuple[int, ...], color: tuple[int, ...]) -> None:
    assert near(color_at(photo_clean(encoded(Image.new("CMYK", (96, 96), ink))), 0.5, 0.5), color)


def test_the_colors_of_an_inverted_ycck_jpeg_are_right() -> None:
    assert near(color_at(photo_clean(photo_ycck(205, 150, 125)), 0.5, 0.5), (205, 150, 125))


def test_16_bit_gray_is_scaled_not_clipped() -> None:
    clean = photo_clean(photo_png(16, 0, b"\x80\x00" * 96))
    assert near(color_at(clean, 0.5, 0.5), (128, 128, 128), by=2)


def test_16_bit_color_is_scaled_not_clipped() -> None:
    clean = photo_clean(photo_png(16, 2, bytes.fromhex("cd00 9600 7d00") * 96))
    assert near(color_at(clean, 0.5, 0.5), (205, 150, 125), by=3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_become_white(mode: str) -> None:
    picture = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 48, 96))
    clean = photo_clean(encoded(picture.convert(mode), "PNG"))
    assert near(color_at(clean, 0.2, 0.5), (0, 0, 0))
    assert near(color_at(clean, 0.8, 0.5), (255, 255, 255))


def test_a_transparent_palette_entry_becomes_white() -> None:
    picture = Image.new("P", (96, 96), 0)
    picture.putpalette([0, 0, 0, 205, 150, 125])
    picture.paste(1, (0, 0, 48, 96))
    clean = photo_clean(encoded(picture, "PNG", transparency=0))
    assert near(color_at(clean, 0.2, 0.5), (205, 150, 125))
    assert near(color_at(clean, 0.8, 0.5), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_color_profile_is_converted_to_srgb(kind: str) -> None:
    picture = Image.new("RGB", (96, 96), (255, 0, 0))
    clean = photo_clean(encoded(picture, kind, icc_profile=profile_with_red_and_green_swapped()))
    assert near(color_at(clean, 0.5, 0.5), (0, 255, 0), by=12)


@pytest.mark.parametrize(
    "profile",
    [b"not a profile", srgb_profile()[:200], bytes(4000)],
    ids=["text", "cut", "zeros"],
)
def test_a_broken_color_profile_is_ignored(profile: bytes) -> None:
    picture = Image.new("RGB", (96, 96), (205, 150, 125))
    assert near(color_at(photo_clean(encoded(picture, icc_profile=profile)), 0.5, 0.5), (205, 150, 125))


def test_a_profile_for_other_channels_is_ignored() -> None:
    picture = Image.new("L", (96, 96), 128)
    clean = photo_clean(encoded(picture, icc_profile=srgb_profile()))
    assert near(color_at(clean, 0.5, 0.5), (128, 128, 128))
