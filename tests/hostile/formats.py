"""A small picture in each format that is accepted, and in each that is not."""

from __future__ import annotations

import functools
import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Final

from PIL import Image

from tests.support.photo_files import exif_block
from tests.support.photo_metadata import srgb_profile
from tests.support.pictures import drawn, encoded

Maker = Callable[[], bytes]

SIZE: Final = (200, 150)


@functools.cache
def picture() -> Image.Image:
    """The same scalp for all."""
    return drawn(7, SIZE)


def _written(kind: str, **options: object) -> bytes:
    return encoded(picture(), kind, **options)


def _mpo() -> bytes:
    second = picture().resize((80, 60))
    return _written("MPO", save_all=True, append_images=[second], quality=90)


ACCEPTED: Final[dict[str, Maker]] = {
    "JPEG": lambda: _written("JPEG", quality=90, exif=exif_block(6), icc_profile=srgb_profile()),
    "progressive JPEG": lambda: _written("JPEG", quality=90, progressive=True),
    "MPO": _mpo,
    "HEIC": lambda: _written("HEIF", quality=60, exif=exif_block(1), icc_profile=srgb_profile()),
    "PNG": lambda: _written("PNG", icc_profile=srgb_profile()),
    "WebP": lambda: _written("WEBP", quality=80, exif=exif_block(3)),
    "lossless WebP": lambda: _written("WEBP", lossless=True),
    "BMP": lambda: _written("BMP"),
}


def _zip(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("a.txt",):
            archive.writestr(zipfile.ZipInfo(name), b"no photo " * 40)
    return file.getvalue()


def _psd() -> bytes:
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 64, 64, 8, 3)
    return header + bytes(12) + b"\0\0" + bytes(3 * 64 * 64)


REFUSED: Final[dict[str, Maker]] = {
    "TIFF": lambda: _written("TIFF"),
    "TIFF with JPEG inside": lambda: _written("TIFF", compression="jpeg"),
    "GIF": lambda: encoded(picture().quantize(64), "GIF"),
    "AVIF": lambda: _written("AVIF", speed=10),
    "JPEG 2000": lambda: _written("JPEG2000"),
    "ICO": lambda: _written("ICO", sizes=[(64, 64)]),
    "TGA": lambda: _written("TGA"),
    "PPM": lambda: _written("PPM"),
    "PCX": lambda: _written("PCX"),
    "SGI": lambda: _written("SGI"),
    "EPS": lambda: _written("EPS"),
    "PDF": lambda: _written("PDF"),
    "PSD": _psd,
    "ZIP": _zip,
    "ZIP that climbs out of its folder": lambda: _zip("../../../etc/cron.d/scalp", "..\\..\\scalp.exe"),
    "gzip": lambda: gzip.compress(b"no photo " * 100, mtime=0),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>',
    "SVG with an entity": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
    ),
    "MVG": lambda: (
        b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/|ls \"-la)'\npop graphic-context"
    ),
    "HTML": lambda: b"<!doctype html><script>alert(document.domain)</script>",
    "shell script": lambda: b"#!/bin/sh\nid > /tmp/scalp\n",
    "PHP": lambda: b"<?php system($_GET['c']); ?>",
    "program": lambda: b"\x7fELF\x02\x01\x01" + bytes(200),
    "MP4": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(400),
    "Python pickle": lambda: b"cos\nsystem\n(S'id'\ntR.",
}
