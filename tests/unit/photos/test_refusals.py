"""What is refused, and why."""

from __future__ import annotations

import pytest
from django.utils import translation
from PIL import Image, JpegImagePlugin

from backend.analyses import decoding
from backend.analyses.errors import QueueFull
from backend.analyses.photos import (
    PHOTO_MAX_ASPECT,
    PHOTO_MAX_BYTES,
    PHOTO_MAX_PIXELS,
    PHOTO_MIN_SIDE,
    PhotoRefused,
    photo_clean,
)
from tests.support.photo_files import (
    jpeg_claiming,
)
from tests.support.pictures import encoded, photo_jpeg
from tests.support.refused_photos import REFUSED

# pytest resets the filters that the module sets for the process.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_graded_is_refused_with_its_reason(name: str) -> None:
    make, code = REFUSED[name]
    with pytest.raises(PhotoRefused) as refused:
        photo_clean(make())
    assert refused.value.code == code
    assert (refused.value.status, refused.value.detail) == PhotoRefused.REFUSALS[code]


def test_every_refusal_is_exercised() -> None:
    assert {code for _, code in REFUSED.values()} == set(PhotoRefused.REFUSALS)


def test_the_sentences_name_the_limits_that_hold() -> None:
    with translation.override("en"):
        said = {code: str(detail) for code, (_, detail) in PhotoRefused.REFUSALS.items()}
    assert f"{PHOTO_MAX_BYTES // 2**20} MB" in said["photo_too_large"]
    assert f"{PHOTO_MAX_PIXELS // 10**6} megapixels" in said["photo_too_many_pixels"]
    assert f"{PHOTO_MIN_SIDE} pixels" in said["photo_too_small"]
    assert PHOTO_MAX_ASPECT == 5
    assert "five times" in said["photo_too_narrow"]


def test_a_header_with_too_large_a_size_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = []
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", lambda self: decoded.append(self.size))
    with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
        photo_clean(jpeg_claiming(65_000, 65_000))
    assert decoded == []


def test_who_finds_no_turn_for_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen large photos at once would else hold all threads of a process for as long as they take together."""
    monkeypatch.setattr(decoding, "DECODE_WAIT_SECONDS", 0.05)
    large = encoded(Image.new("RGB", (5000, 5000)), "PNG")
    with decoding.reserve_memory(decoding.LARGE_BYTES):
        with pytest.raises(QueueFull) as full:
            photo_clean(large)
        assert photo_clean(photo_jpeg()).width == 640, "a small photo waits for no large one"
    assert full.value.status == 503
    assert full.value.retry_after is not None
    assert photo_clean(large).width == 1600
    half = decoding.SMALL_BYTES // 2
    with decoding.reserve_memory(half), decoding.reserve_memory(half), pytest.raises(QueueFull):
        photo_clean(photo_jpeg())


@pytest.mark.parametrize("size", [(8160, 6144), (6144, 8192)])
def test_what_phones_call_50_megapixels_is_accepted(size: tuple[int, int]) -> None:
    clean = photo_clean(encoded(Image.new("RGB", size), "JPEG"))
    assert max(clean.width, clean.height) == 1600
