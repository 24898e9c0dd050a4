"""Photos put together of lies, against the cleaning alone: nothing but a clean photo or a refusal comes out."""

from __future__ import annotations

import functools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.analyses.photos import PhotoRefused, photo_clean
from tests.hostile import formats
from tests.support.clean_photos import hold_clean

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")

PHOTOS = {kind: functools.cache(make) for kind, make in formats.ACCEPTED.items()}
#: What begins a part of a file of each format, so that whole parts are moved and their numbers are met.
PARTS = {
    "JPEG": rb"\xff[\xc0-\xdf\xe0-\xfe]", "progressive JPEG": rb"\xff[\xc0-\xdf\xe0-\xfe]", "MPO": rb"\xff[\xc0-\xfe]",
    "HEIC": rb"ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|hvcC|ispe|colr|ipma|mdat", "PNG": rb"IHDR|iCCP|IDAT|IEND",
    "WebP": rb"RIFF|VP8X|VP8 |EXIF", "lossless WebP": rb"RIFF|WEBP|VP8L", "BMP": rb"BM|\x28\0\0\0",
}  # fmt: skip
NUMBERS = [
    number.to_bytes(4, order) for number in (0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1) for order in ("big", "little")
]


def cleaned_or_refused(data: bytes) -> None:
    try:
        clean = photo_clean(data)
    except PhotoRefused:
        return
    hold_clean(clean.jpeg)


def places(kind: str) -> list[int]:
    return [match.start() for match in re.finditer(PARTS[kind], PHOTOS[kind](), re.DOTALL)]


@st.composite
def lying(draw: st.DrawFn, kind: str) -> bytes:
    """A photo of which some parts have another number near their beginning."""
    data = bytearray(PHOTOS[kind]())
    for _ in range(draw(st.integers(1, 4))):
        place = max(0, draw(st.sampled_from(places(kind))) + draw(st.integers(-8, 24)))
        number = draw(st.sampled_from(NUMBERS) | st.binary(min_size=1, max_size=4))
        data[place : place + len(number)] = number
    return bytes(data)


@st.composite
def shuffled(draw: st.DrawFn, kind: str) -> bytes:
    """The parts of a photo in another order, some of them missing and some there more than once."""
    data, cuts = PHOTOS[kind](), [0, *places(kind)]
    pieces = [data[start:end] for start, end in zip(cuts, [*cuts[1:], None], strict=True)]
    chosen = draw(st.lists(st.integers(0, min(len(pieces) - 1, 30)), max_size=12))
    return pieces[0] + b"".join(pieces[number] for number in chosen) + draw(st.sampled_from([b"", pieces[-1]]))


@pytest.mark.parametrize("kind", PARTS)
@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_photo_whose_parts_lie_is_cleaned_or_refused(kind: str, data: st.DataObject) -> None:
    cleaned_or_refused(data.draw(lying(kind)))


@pytest.mark.parametrize("kind", PARTS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_photo_whose_parts_are_shuffled_is_cleaned_or_refused(kind: str, data: st.DataObject) -> None:
    cleaned_or_refused(data.draw(shuffled(kind)))


@pytest.mark.parametrize(
    "magic", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP", b"BM", b"\0\0\0\x18ftypheic"]
)
@given(rest=st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_whatever_follows_a_known_beginning_is_cleaned_or_refused(magic: bytes, rest: bytes) -> None:
    cleaned_or_refused(magic + rest)
