"""An uploaded photo made clean: what is accepted, what comes out of it, what is refused and why."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageStat, JpegImagePlugin

from backend.analyses import photos as cleaning
from backend.analyses.errors import QueueFull
from backend.analyses.photos import (
    PHOTO_MAX_ASPECT,
    PHOTO_MAX_BYTES,
    PHOTO_MAX_PIXELS,
    PHOTO_MIN_SIDE,
    CleanPhoto,
    PhotoRefused,
    photo_clean,
)
from tests.support import photos
from tests.support.environment import ROOT

PLACES = {
    "top left": (0.2, 0.2),
    "top right": (0.8, 0.2),
    "bottom left": (0.2, 0.8),
    "bottom right": (0.8, 0.8),
}

# pytest resets the filters that the module sets for the process.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


def opened(clean: CleanPhoto) -> Image.Image:
    return Image.open(io.BytesIO(clean.jpeg), formats=("JPEG",))


def colour_at(clean: CleanPhoto, x: float, y: float) -> tuple[int, ...]:
    """The colour at a place given in parts of width and height."""
    return opened(clean).getpixel((int(clean.width * x), int(clean.height * y)))


def near(colour: tuple[int, ...], expected: tuple[int, ...], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(colour, expected, strict=True))


def assert_upright(clean: CleanPhoto) -> None:
    assert (clean.width, clean.height) == (320, 192)
    for corner, (x, y) in PLACES.items():
        assert near(colour_at(clean, x, y), ImageColor.getrgb(photos.CORNERS[corner]), by=20), corner


# What is accepted


@pytest.mark.parametrize("name", photos.GOOD)
def test_a_good_photo_becomes_a_plain_srgb_jpeg(name: str) -> None:
    clean = photo_clean(photos.GOOD[name]())
    picture = opened(clean)
    picture.load()
    assert picture.size == (clean.width, clean.height)
    assert picture.getextrema() != ((0, 0), (0, 0), (0, 0))
    photos.hold_clean(clean.jpeg)


def test_a_photo_within_the_limit_keeps_its_size() -> None:
    clean = photo_clean(photos.photo_jpeg(1600, 1200))
    assert (clean.width, clean.height) == (1600, 1200)


def test_a_large_photo_keeps_its_proportions() -> None:
    clean = photo_clean(photos.photo_jpeg(3000, 4000))
    assert (clean.width, clean.height) == (1200, 1600)


def test_a_photo_of_48_megapixels_looks_as_if_it_was_decoded_in_full() -> None:
    """libjpeg decodes it at half the size, which is still over twice the final one: thin hairs stay as sharp."""
    full = Image.new("RGB", (8064, 6048), (205, 150, 125))
    assert full.width * full.height < PHOTO_MAX_PIXELS
    hairs = ImageDraw.Draw(full)
    for x in range(0, 9600, 60):
        hairs.line((x, 0, x - 900, 6048), fill=(45, 32, 28), width=14)
    clean = opened(photo_clean(photos.encoded(full, quality=60)))
    assert clean.size == (1600, 1200)
    difference = ImageChops.difference(clean, full.resize(clean.size, Image.Resampling.LANCZOS))
    # Grey levels. The two JPEGs make 2.42, decoded in full or at half; decoding to the next larger size, 3.37.
    assert sum(ImageStat.Stat(difference).mean) / 3 < 2.9


def test_the_main_picture_of_a_file_with_several_is_taken() -> None:
    assert (photo_clean(photos.photo_mpo()).width, photo_clean(photos.photo_heic_burst()).width) == (640, 640)


def test_a_picture_of_the_minimum_size_and_maximum_ratio_is_accepted() -> None:
    side = PHOTO_MIN_SIDE
    strip = Image.new("RGB", (side * PHOTO_MAX_ASPECT, side), "salmon")
    clean = photo_clean(photos.encoded(strip))
    assert (clean.width, clean.height) == (side * PHOTO_MAX_ASPECT, side)


# Turned the right way


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", photos.STORED)
def test_the_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    assert_upright(photo_clean(photos.photo_turned(orientation, kind)))


@pytest.mark.parametrize("orientation", photos.STORED)
def test_a_heic_is_turned_exactly_once(orientation: int) -> None:
    data = photos.heic_turned(orientation)
    assert orientation == 1 or b"irot" in data or b"imir" in data
    assert_upright(photo_clean(data))


def test_a_heic_is_not_turned_by_exif() -> None:
    assert_upright(photo_clean(photos.heic_turned_in_exif_only()))


def test_an_orientation_that_does_not_exist_turns_nothing() -> None:
    assert_upright(photo_clean(photos.encoded(photos.quadrants(), exif=photos.exif_block(9))))


# Colours


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((51, 102, 127, 0), (204, 153, 128)),
    ],
)
def test_the_colours_of_a_cmyk_jpeg_are_right(ink: tuple[int, ...], colour: tuple[int, ...]) -> None:
    assert near(colour_at(photo_clean(photos.encoded(Image.new("CMYK", (96, 96), ink))), 0.5, 0.5), colour)


def test_the_colours_of_an_inverted_ycck_jpeg_are_right() -> None:
    assert near(colour_at(photo_clean(photos.photo_ycck(205, 150, 125)), 0.5, 0.5), (205, 150, 125))


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    clean = photo_clean(photos.photo_png(16, 0, b"\x80\x00" * 96))
    assert near(colour_at(clean, 0.5, 0.5), (128, 128, 128), by=2)


def test_16_bit_colour_is_scaled_not_clipped() -> None:
    clean = photo_clean(photos.photo_png(16, 2, bytes.fromhex("cd00 9600 7d00") * 96))
    assert near(colour_at(clean, 0.5, 0.5), (205, 150, 125), by=3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_become_white(mode: str) -> None:
    picture = Image.new("RGBA", (96, 96), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 48, 96))
    clean = photo_clean(photos.encoded(picture.convert(mode), "PNG"))
    assert near(colour_at(clean, 0.2, 0.5), (0, 0, 0))
    assert near(colour_at(clean, 0.8, 0.5), (255, 255, 255))


def test_a_transparent_palette_entry_becomes_white() -> None:
    picture = Image.new("P", (96, 96), 0)
    picture.putpalette([0, 0, 0, 205, 150, 125])
    picture.paste(1, (0, 0, 48, 96))
    clean = photo_clean(photos.encoded(picture, "PNG", transparency=0))
    assert near(colour_at(clean, 0.2, 0.5), (205, 150, 125))
    assert near(colour_at(clean, 0.8, 0.5), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_colour_profile_is_converted_to_srgb(kind: str) -> None:
    picture = Image.new("RGB", (96, 96), (255, 0, 0))
    clean = photo_clean(photos.encoded(picture, kind, icc_profile=photos.profile_with_red_and_green_swapped()))
    assert near(colour_at(clean, 0.5, 0.5), (0, 255, 0), by=12)


@pytest.mark.parametrize(
    "profile",
    [b"not a profile", photos.srgb_profile()[:200], bytes(4000)],
    ids=["text", "cut", "zeros"],
)
def test_a_broken_colour_profile_is_ignored(profile: bytes) -> None:
    picture = Image.new("RGB", (96, 96), (205, 150, 125))
    assert near(colour_at(photo_clean(photos.encoded(picture, icc_profile=profile)), 0.5, 0.5), (205, 150, 125))


def test_a_profile_for_other_channels_is_ignored() -> None:
    picture = Image.new("L", (96, 96), 128)
    clean = photo_clean(photos.encoded(picture, icc_profile=photos.srgb_profile()))
    assert near(colour_at(clean, 0.5, 0.5), (128, 128, 128))


# Nothing of the owner is left


@pytest.mark.parametrize("profile", [True, False], ids=["with a profile", "without one"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_no_metadata_survives(kind: str, profile: bool) -> None:
    data = photos.photo_telling_all(kind, profile=profile)
    assert photos.MARK.encode() in data
    clean = photo_clean(data)
    for hidden in (
        photos.MARK.encode(),
        photos.MARK.encode("utf-16-be"),
        b"Exif",
        b"xmp",
        b"GPS",
        b"ICC_PROFILE",
    ):
        assert hidden not in clean.jpeg
    assert set(opened(clean).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


# What is refused


@pytest.mark.parametrize("name", photos.REFUSED)
def test_what_can_not_be_graded_is_refused_with_its_reason(name: str) -> None:
    make, code = photos.REFUSED[name]
    with pytest.raises(PhotoRefused) as refused:
        photo_clean(make())
    assert refused.value.code == code
    assert (refused.value.status, refused.value.detail) == PhotoRefused.REFUSALS[code]


def test_every_refusal_is_exercised() -> None:
    assert {code for _, code in photos.REFUSED.values()} == set(PhotoRefused.REFUSALS)


def test_the_sentences_name_the_limits_that_hold() -> None:
    with translation.override("en"):
        said = {code: str(detail) for code, (_, detail) in PhotoRefused.REFUSALS.items()}
    assert f"{PHOTO_MAX_BYTES // 2**20} MB" in said["photo_too_large"]
    assert f"{PHOTO_MAX_PIXELS // 10**6} megapixels" in said["photo_too_many_pixels"]
    assert f"{PHOTO_MIN_SIDE} pixels" in said["photo_too_small"]
    assert PHOTO_MAX_ASPECT == 5
    assert "five times" in said["photo_too_narrow"]


def test_a_file_of_exactly_10_mb_is_accepted() -> None:
    photo = photos.photo_jpeg()
    assert photo_clean(photo + bytes(PHOTO_MAX_BYTES - len(photo))).width == 640


def test_a_header_with_too_large_a_size_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = []
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", lambda self: decoded.append(self.size))
    with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
        photo_clean(photos.jpeg_claiming(65_000, 65_000))
    assert decoded == []


LYING = [name for name in photos.REFUSED if "claims" in name and "over little" not in name]

PEAK_AROUND_A_REFUSAL = """
import pathlib, re, sys
from backend.analyses.photos import PhotoRefused, photo_clean

def peak():
    # Not ru_maxrss: it starts from the peak of the process that this one was forked from.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])

photo = pathlib.Path(sys.argv[1]).read_bytes()
before = peak()
try:
    photo_clean(photo)
except PhotoRefused as refused:
    print(refused.code, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory from /proc")
@pytest.mark.parametrize("name", LYING)
def test_a_lying_header_costs_no_memory(name: str, tmp_path: Path) -> None:
    make, expected = photos.REFUSED[name]
    file = tmp_path / "photo"
    file.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", PEAK_AROUND_A_REFUSAL, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    code, grown = done.stdout.split()
    assert code == expected
    # In KB. Decoding would take 191 MB for the 50 megapixels, and 32 MB for the HEIC that hides 2,800 × 2,800.
    assert int(grown) < 10 * 1024


def test_a_photo_is_cleaned_without_settings() -> None:
    """The benchmark cleans photos as the service does, long before it knows of a service."""
    bare = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    clean = "import sys; from backend.analyses.photos import photo_clean; photo_clean(sys.stdin.buffer.read())"
    done = subprocess.run(
        [sys.executable, "-c", clean],
        input=photos.photo_jpeg(), cwd=Path(__file__).parents[2], env=bare, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def test_broken_exif_says_nothing_in_the_log(tmp_path: Path) -> None:
    file = tmp_path / "photo"
    file.write_bytes(photos.png_with_broken_tags(65_535))
    # In a process of its own: pytest has filters for warnings of its own.
    done = subprocess.run(
        [sys.executable, "-c", PEAK_AROUND_A_REFUSAL, str(file)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr[-2000:]) == (0, "", "")


@pytest.mark.parametrize(
    "filling",
    [
        b"\xff" * 10**7,
        b"\xff\xfe\0\2" + b"\xff" * 10**7 + photos.photo_jpeg()[2:],
        b"\xff\xfe\0\2" + b"\xff\xd0" * 5_000_000,
    ],
    ids=["fill bytes without an end", "fill bytes before a photo", "restarts"],
)
def test_filling_costs_no_time(filling: bytes) -> None:
    """10 MB of it kept a core, and with it every thread of its process, for 8 s where a marker came, else for days."""
    began = time.thread_time()
    with pytest.raises(PhotoRefused, match="photo_unreadable"):
        photo_clean(b"\xff\xd8" + filling)
    assert time.thread_time() - began < 2


def test_a_little_filling_is_no_matter() -> None:
    photo = photos.photo_jpeg()
    assert photo_clean(photo[:2] + b"\xff" * 500 + photo[2:]).width == 640


def test_a_png_of_too_many_chunks_is_refused_at_once() -> None:
    """800,000 of them took Pillow 7 s, in which no other thread of the process came to its turn."""
    began = time.thread_time()
    with pytest.raises(PhotoRefused, match="photo_unreadable"):
        photo_clean(
            photos.png_claiming(96, 96, bytes((1 + 3 * 96) * 96), chunks=photos.png_chunk(b"teXt", b"") * 800_000)
        )
    assert time.thread_time() - began < 2


def test_a_png_of_ten_megabytes_in_small_chunks_is_accepted() -> None:
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in np.asarray(photos.noise((1800, 1800)))), 0)
    pieces = b"".join(photos.png_chunk(b"IDAT", pixels[at : at + 4096]) for at in range(0, len(pixels), 4096))
    photo = photos.png_claiming(1800, 1800, b"").replace(photos.png_chunk(b"IDAT", zlib.compress(b"")), pieces)
    assert len(photo) > 9 * 2**20
    assert photo_clean(photo + bytes(2**18)).width == 1600


def test_a_header_that_claims_little_over_much_yields_what_it_claims() -> None:
    """The decoder stops where the header says, so the rest costs nothing."""
    clean = photo_clean(photos.png_claiming(96, 96, bytes((1 + 3 * 2000) * 2000)))
    assert (clean.width, clean.height) == (96, 96)


def test_photos_are_cleaned_side_by_side_as_one_after_the_other() -> None:
    data = [make() for make in photos.GOOD.values()]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(photo_clean, data)) == [photo_clean(photo) for photo in data]


def test_who_finds_no_turn_for_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen large photos at once would else hold all threads of a process for as long as they take together."""
    monkeypatch.setattr(cleaning, "DECODE_WAIT_SECONDS", 0.05)
    with cleaning._DECODING, cleaning._DECODING, pytest.raises(QueueFull) as full:
        photo_clean(photos.photo_jpeg())
    assert full.value.status == 503
    assert full.value.retry_after is not None
    assert photo_clean(photos.photo_jpeg()).width == 640


SMALL = {
    kind: photos.encoded(photos.scalp(80, 72), kind, **options)
    for kind, options in {
        "JPEG": {"exif": photos.exif_block(6), "icc_profile": photos.srgb_profile()},
        "MPO": {"save_all": True, "append_images": [photos.scalp(64, 64)]},
        "PNG": {"icc_profile": photos.srgb_profile()},
        "WEBP": {"exif": photos.exif_block(3)},
        "HEIF": {"exif": photos.exif_block(8)},
        "BMP": {},
    }.items()
}
HEADS = [re.split(rb"\xff\xdb|IDAT|mdat", data)[0][:400] for data in SMALL.values()]


def cleaned_or_refused(data: bytes) -> None:
    try:
        clean = photo_clean(data)
    except PhotoRefused:
        return
    assert opened(clean).size == (clean.width, clean.height)


@given(head=st.sampled_from([b"", *HEADS]), tail=st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_cleaned_or_refused(head: bytes, tail: bytes) -> None:
    cleaned_or_refused(head + tail)


@given(data=st.data(), kind=st.sampled_from(sorted(SMALL)))
@settings(max_examples=400, deadline=None)
def test_a_damaged_photo_is_cleaned_or_refused(data: st.DataObject, kind: str) -> None:
    photo = bytearray(SMALL[kind])
    places = st.one_of(st.integers(0, min(700, len(photo) - 1)), st.integers(0, len(photo) - 1))
    for place in data.draw(st.lists(places, max_size=6)):
        photo[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.one_of(st.just(len(photo)), st.integers(0, len(photo))))
    cleaned_or_refused(bytes(photo[:cut]))
