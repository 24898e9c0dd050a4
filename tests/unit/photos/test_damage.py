"""Whatever the bytes are, a photo is cleaned or refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.analyses.photos import (
    PhotoRefused,
    photo_clean,
)
from tests.support.photo_files import (
    exif_block,
)
from tests.support.photo_metadata import srgb_profile
from tests.support.pictures import encoded, scalp
from tests.unit.photos.pixels import opened

# pytest resets the filters that the module sets for the process.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


SMALL = {
    kind: encoded(scalp(80, 72), kind, **options)
    for kind, options in {
        "JPEG": {"exif": exif_block(6), "icc_profile": srgb_profile()},
        "MPO": {"save_all": True, "append_images": [scalp(64, 64)]},
        "PNG": {"icc_profile": srgb_profile()},
        "WEBP": {"exif": exif_block(3)},
        "HEIF": {"exif": exif_block(8)},
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
