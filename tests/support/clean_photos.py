"""What a cleaned photo has to be."""

from __future__ import annotations

import io

from PIL import Image

from backend.analyses.photos import PHOTO_MAX_SIDE, PHOTO_MIN_SIDE


def hold_clean(jpeg: bytes) -> None:
    """Fail unless it is what may be stored: a whole baseline JPEG in sRGB, 64 to 1600 pixels, and nothing besides."""
    picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
    picture.load()
    assert picture.mode == "RGB"
    assert PHOTO_MIN_SIDE <= min(picture.size) <= max(picture.size) <= PHOTO_MAX_SIDE
    # JFIF's own header, tables, one baseline frame, one scan: no room for anything else.
    assert set(markers(jpeg)) == {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
    assert jpeg.endswith(b"\xff\xd9")


def markers(jpeg: bytes) -> list[int]:
    """Second bytes of the markers from the start to the first scan."""
    found, position = [], 2
    while True:
        assert jpeg[position] == 0xFF
        found.append(jpeg[position + 1])
        if found[-1] == 0xDA:
            return found
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
