"""What photos are accepted, and what comes out of them."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat
from PIL.PngImagePlugin import PngInfo

from backend.analyses.photos import (
    PHOTO_MAX_ASPECT,
    PHOTO_MAX_BYTES,
    PHOTO_MAX_PIXELS,
    PHOTO_MIN_SIDE,
    photo_clean,
)
from tests.support.clean_photos import hold_clean
from tests.support.environment import ROOT
from tests.support.good_photos import (
    GOOD,
    photo_heic_burst,
    photo_mpo,
)
from tests.support.photo_files import (
    png_chunk,
    png_claiming,
)
from tests.support.pictures import encoded, noise, photo_jpeg
from tests.unit.photos.pixels import opened

# pytest resets the filters that the module sets for the process.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_photo_becomes_a_plain_srgb_jpeg(name: str) -> None:
    clean = photo_clean(GOOD[name]())
    picture = opened(clean)
    picture.load()
    assert picture.size == (clean.width, clean.height)
    assert picture.getextrema() != ((0, 0), (0, 0), (0, 0))
    hold_clean(clean.jpeg)


def test_a_photo_within_the_limit_keeps_its_size() -> None:
    clean = photo_clean(photo_jpeg(1600, 1200))
    assert (clean.width, clean.height) == (1600, 1200)


def test_a_large_photo_keeps_its_proportions() -> None:
    clean = photo_clean(photo_jpeg(3000, 4000))
    assert (clean.width, clean.height) == (1200, 1600)


def test_a_photo_of_48_megapixels_looks_as_if_it_was_decoded_in_full() -> None:
    """libjpeg decodes it at half the size, which is still over twice the final one: thin hairs stay as sharp."""
    full = Image.new("RGB", (8064, 6048), (205, 150, 125))
    assert full.width * full.height < PHOTO_MAX_PIXELS
    hairs = ImageDraw.Draw(full)
    for x in range(0, 9600, 60):
        hairs.line((x, 0, x - 900, 6048), fill=(45, 32, 28), width=14)
    clean = opened(photo_clean(encoded(full, quality=60)))
    assert clean.size == (1600, 1200)
    difference = ImageChops.difference(clean, full.resize(clean.size, Image.Resampling.LANCZOS))
    # Gray levels. The two JPEGs make 2.42, decoded in full or at half; decoding to the next larger size, 3.37.
    assert sum(ImageStat.Stat(difference).mean) / 3 < 2.9


def test_the_main_picture_of_a_file_with_several_is_taken() -> None:
    assert (photo_clean(photo_mpo()).width, photo_clean(photo_heic_burst()).width) == (640, 640)


def test_a_picture_of_the_minimum_size_and_maximum_ratio_is_accepted() -> None:
    side = PHOTO_MIN_SIDE
    strip = Image.new("RGB", (side * PHOTO_MAX_ASPECT, side), "salmon")
    clean = photo_clean(encoded(strip))
    assert (clean.width, clean.height) == (side * PHOTO_MAX_ASPECT, side)


def test_a_file_of_exactly_10_mb_is_accepted() -> None:
    photo = photo_jpeg()
    assert photo_clean(photo + bytes(PHOTO_MAX_BYTES - len(photo))).width == 640


def test_a_photo_is_cleaned_without_settings() -> None:
    """The benchmark cleans photos as the service does, long before it knows of a service."""
    bare = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    clean = "import sys; from backend.analyses.photos import photo_clean; photo_clean(sys.stdin.buffer.read())"
    done = subprocess.run(
        [sys.executable, "-c", clean],
        input=photo_jpeg(), cwd=ROOT, env=bare, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def test_a_little_filling_is_no_matter() -> None:
    photo = photo_jpeg()
    assert photo_clean(photo[:2] + b"\xff" * 500 + photo[2:]).width == 640


def test_a_png_of_ten_megabytes_in_small_chunks_is_accepted() -> None:
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(noise((1800, 1800)))), 0)
    pieces = b"".join(png_chunk(b"IDAT", pixels[at : at + 4096]) for at in range(0, len(pixels), 4096))
    photo = png_claiming(1800, 1800, b"").replace(png_chunk(b"IDAT", zlib.compress(b"")), pieces)
    assert len(photo) > 9 * 2**20
    assert photo_clean(photo + bytes(2**18)).width == 1600


def test_a_header_that_claims_little_over_much_yields_what_it_claims() -> None:
    """The decoder stops where the header says, so the rest costs nothing."""
    clean = photo_clean(png_claiming(96, 96, bytes((1 + 3 * 2000) * 2000)))
    assert (clean.width, clean.height) == (96, 96)


def test_photos_are_cleaned_side_by_side_as_one_after_the_other() -> None:
    data = [make() for make in GOOD.values()]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(photo_clean, data)) == [photo_clean(photo) for photo in data]


@pytest.mark.parametrize("compressed", [True, False])
def test_a_png_may_carry_long_texts(compressed: bool) -> None:
    """Image editors keep their whole history in them: Pillow alone refuses a megabyte, as it may hide a bomb."""
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", "x" * 2_000_000, zip=compressed)
    clean = photo_clean(encoded(Image.new("RGB", (640, 480), (205, 150, 125)), "PNG", pnginfo=texts))
    assert (clean.width, clean.height) == (640, 480)
