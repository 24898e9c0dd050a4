"""Files that must be refused, each with the code of the refusal, by a name that reads in a test's id."""

from __future__ import annotations

import functools

from PIL import Image

from tests.support.photo_files import (
    bmp_claiming,
    bmp_of_runs,
    heic_claiming,
    jpeg_claiming,
    jpeg_with_scans,
    png_claiming,
    replaced,
    webp_claiming,
)
from tests.support.pictures import Maker, encoded, photo_jpeg, scalp


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (96, 96), color) for color in ("red", "lime", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def _cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


REFUSED: dict[str, tuple[Maker, str]] = {
    "nothing": (lambda: b"", "photo_empty"),
    "more than 10 MB": (lambda: photo_jpeg() + bytes(10 * 1024 * 1024), "photo_too_large"),
    "text": (lambda: b"this is not a photo\n" * 20, "photo_type_unsupported"),
    "text that starts as a bitmap does": (lambda: b"BM is short for bitmap\n" * 20, "photo_type_unsupported"),
    "one byte": (lambda: b"\xff", "photo_type_unsupported"),
    "SVG": (
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "photo_type_unsupported",
    ),
    "bitmap in runs": (lambda: bmp_of_runs(96, b"\x60\x07\0\0" * 96), "photo_type_unsupported"),
    "bitmap in runs of 4 bits": (lambda: bmp_of_runs(96, b"\x60\x07\0\0" * 96, 4), "photo_type_unsupported"),
    "PDF": (lambda: encoded(scalp(), "PDF"), "photo_type_unsupported"),
    "GIF": (lambda: encoded(scalp().quantize(64), "GIF"), "photo_type_unsupported"),
    "animated GIF": (lambda: _animated("GIF"), "photo_type_unsupported"),
    "TIFF": (lambda: encoded(scalp(), "TIFF"), "photo_type_unsupported"),
    "AVIF": (lambda: encoded(scalp(), "AVIF", speed=10), "photo_type_unsupported"),
    "video": (lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(400), "photo_type_unsupported"),
    "animated WebP": (lambda: _animated("WEBP"), "photo_animated"),
    "animated PNG": (lambda: _animated("PNG"), "photo_animated"),
    "one pixel": (lambda: encoded(Image.new("RGB", (1, 1)), "PNG"), "photo_too_small"),
    "an icon": (lambda: encoded(Image.new("RGB", (400, 63)), "PNG"), "photo_too_small"),
    "a strip": (lambda: encoded(Image.new("RGB", (481, 96))), "photo_too_narrow"),
    "JPEG that claims 65,000 × 65,000": (lambda: jpeg_claiming(65_000, 65_000), "photo_too_many_pixels"),
    "JPEG that claims exactly 50.5 megapixels": (lambda: jpeg_claiming(10_100, 5_000), "photo_too_many_pixels"),
    "JPEG that claims 7,000 × 7,000 over little": (
        lambda: jpeg_claiming(7_000, 7_000)[:-2],
        "photo_unreadable",
    ),
    "JPEG that claims no height": (lambda: jpeg_claiming(640, 0), "photo_unreadable"),
    "PNG that claims 30,000 × 30,000": (
        lambda: png_claiming(30_000, 30_000, bytes(99)),
        "photo_too_many_pixels",
    ),
    "PNG that claims 7,000 × 7,000 over little": (
        lambda: png_claiming(7_000, 7_000, bytes(99)),
        "photo_unreadable",
    ),
    "WebP that claims 16,383 × 16,383": (lambda: webp_claiming(16_383, 16_383), "photo_too_many_pixels"),
    "WebP that claims 8,000 × 8,000": (lambda: webp_claiming(8_000, 8_000), "photo_too_many_pixels"),
    "WebP that claims less than it holds": (lambda: webp_claiming(70, 70), "photo_unreadable"),
    "HEIC that claims 60,000 × 60,000": (lambda: heic_claiming(60_000, 60_000, 128), "photo_too_many_pixels"),
    "HEIC that claims less than it holds": (lambda: heic_claiming(100, 100, 2800), "photo_unreadable"),
    "BMP that claims 30,000 × 30,000": (lambda: bmp_claiming(30_000, 30_000), "photo_too_many_pixels"),
    "JPEG of 1,000 scans": (lambda: jpeg_with_scans(1000), "photo_unreadable"),
    "JPEG of 5,000 comments": (
        lambda: replaced(photo_jpeg(), b"\xff\xdb", b"\xff\xfe\x00\x02" * 5000 + b"\xff\xdb"),
        "photo_unreadable",
    ),
    **{
        f"{kind}, cut after {part:.0%}": (
            functools.partial(lambda kind, part: _cut(encoded(scalp(), kind), part), kind, part),
            "photo_unreadable",
        )
        for kind in ("JPEG", "PNG", "WEBP", "HEIF", "BMP")
        for part in (0.05, 0.5, 0.95)
    },
}
