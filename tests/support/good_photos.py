"""Photos that a person would call fine, by a name that reads in a test's id."""

from __future__ import annotations

import functools
import struct

from PIL import Image

from tests.support.photo_files import exif_block, jpeg_claiming, photo_png, replaced
from tests.support.pictures import Maker, encoded, photo_jpeg, quadrants, scalp

STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How the sensor lay for each EXIF orientation: orientation 6 says "the first row is the right-hand side"."""


def photo_turned(orientation: int, kind: str = "JPEG") -> bytes:
    """`quadrants`, lying on its side as a camera stores it, with the EXIF that says how it was held."""
    picture = quadrants()
    turn = STORED[orientation]
    return encoded(picture.transpose(turn) if turn is not None else picture, kind, exif=exif_block(orientation))


def heic_turned(orientation: int) -> bytes:
    """A phone's HEIC: turned by the container's own boxes and by EXIF, which says the same once more."""
    picture = quadrants()
    turn = STORED[orientation]
    picture = picture.transpose(turn) if turn is not None else picture
    return encoded(picture, "HEIF", exif=exif_block(orientation), quality=95)


def heic_turned_in_exif_only() -> bytes:
    """A HEIC that lies as it should, whose EXIF says orientation 6 without a box that turns it."""
    data = encoded(quadrants(), "HEIF", exif=exif_block(1), quality=95)
    return replaced(data, _ORIENTATION_1, _ORIENTATION_6)


_ORIENTATION_1 = struct.pack(">HHIH", 0x0112, 3, 1, 1)


_ORIENTATION_6 = struct.pack(">HHIH", 0x0112, 3, 1, 6)


def photo_mpo() -> bytes:
    """The photo with a second picture behind it, as phones store depth and gain maps."""
    return encoded(scalp(), "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120), "black")], quality=90)


def photo_mpo_with_huge_second_picture() -> bytes:
    """An MPO whose second picture claims 60,000 × 60,000: harmless as long as no reader seeks to it."""
    data = photo_mpo()
    second = data.rindex(b"\xff\xd8\xff")
    return data[:second] + jpeg_claiming(60_000, 60_000, data[second:])


def photo_heic_burst() -> bytes:
    """Several pictures in one HEIC; the second is the main one."""
    main = scalp()
    return encoded(Image.new("RGB", (320, 240), "blue"), "HEIF", save_all=True, append_images=[main], primary_index=1)


def photo_ycck(red: int, green: int, blue: int) -> bytes:
    """A CMYK JPEG as Adobe writes it: inks inverted and stored as YCCK. Plain color, no black ink.

    libjpeg writes CMYK without a transform, so the four channels are filled with what YCCK would hold and the
    transform in the Adobe marker is set to 2.
    """
    y, cb, cr = Image.new("RGB", (96, 96), (255 - red, 255 - green, 255 - blue)).convert("YCbCr").split()
    black = Image.new("L", y.size, 255)
    # Pillow inverts what it writes, so the channels go in inverted.
    channels = [channel.point(lambda v: 255 - v) for channel in (y, cb, cr, black)]
    data = encoded(Image.merge("CMYK", channels), quality=95)
    adobe = data.index(b"Adobe") + 11
    return data[:adobe] + b"\x02" + data[adobe + 1 :]


GOOD: dict[str, Maker] = {
    "JPEG": photo_jpeg,
    "JPEG of 12 megapixels": functools.partial(photo_jpeg, 4000, 3000),
    "progressive JPEG": lambda: encoded(scalp(), progressive=True),
    "gray JPEG": lambda: encoded(scalp().convert("L")),
    "CMYK JPEG": lambda: encoded(scalp().convert("CMYK")),
    "JPEG with a second picture (MPO)": photo_mpo,
    "MPO with a huge second picture": photo_mpo_with_huge_second_picture,
    "JPEG with a video behind it": lambda: photo_jpeg() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 64,
    "JPEG with broken EXIF": lambda: encoded(scalp(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "JPEG with a broken color profile": lambda: encoded(scalp(), icc_profile=b"no profile" * 40),
    "PNG": lambda: encoded(scalp(), "PNG"),
    "palette PNG": lambda: encoded(scalp().quantize(64), "PNG"),
    "transparent PNG": lambda: encoded(scalp().convert("RGBA"), "PNG"),
    "gray PNG with alpha": lambda: encoded(scalp().convert("LA"), "PNG"),
    "16-bit gray PNG": lambda: photo_png(16, 0, struct.pack(">96H", *range(0, 57_600, 600))),
    "16-bit color PNG": lambda: photo_png(16, 2, struct.pack(">288H", *range(0, 57_600, 200))),
    "black and white PNG": lambda: encoded(scalp().convert("1"), "PNG"),
    "WebP": lambda: encoded(scalp(), "WEBP"),
    "lossless WebP with alpha": lambda: encoded(scalp().convert("RGBA"), "WEBP", lossless=True),
    "HEIC": lambda: encoded(scalp(), "HEIF"),
    "HEIC in tiles": lambda: encoded(scalp(), "HEIF", tile_size=256),
    "HEIC burst": photo_heic_burst,
    "BMP": lambda: encoded(scalp(), "BMP"),
}
