"""Metadata of photos: color profiles, and a mark that is hidden wherever a file can tell something about its owner."""

from __future__ import annotations

import struct

from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.support.photo_files import replaced
from tests.support.pictures import encoded, scalp

MARK = "hair-whorl-7Q"
"""A text that is hidden in every kind of metadata; none of it may come out at the other end."""


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_with_red_and_green_swapped() -> bytes:
    """A valid profile in which full red is what sRGB calls green."""
    return srgb_profile().replace(b"rXYZ", b"swap").replace(b"gXYZ", b"rXYZ").replace(b"swap", b"gXYZ")


def profile_with_mark() -> bytes:
    """sRGB whose description holds `MARK`."""
    name = "sRGB built-in"
    assert len(name) == len(MARK)
    return replaced(srgb_profile(), name.encode("utf-16-be"), MARK.encode("utf-16-be"))


def photo_telling_all(kind: str, *, profile: bool = True) -> bytes:
    """A photo with `MARK` in EXIF with GPS and camera, XMP, profile, comments, text chunks and behind the end."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = MARK
    exif[ExifTags.Base.DocumentName] = f"{MARK}.jpg"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (37.0, 33.0, 59.0), 29: MARK})
    camera = {ExifTags.Base.BodySerialNumber: MARK, ExifTags.Base.MakerNote: MARK.encode()}
    exif.get_ifd(ExifTags.IFD.Exif).update(camera)
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:title>{MARK}</dc:title></x:xmpmeta>".encode()
    options: dict[str, object] = {"exif": exif.tobytes()}
    if profile:
        options["icc_profile"] = profile_with_mark()
    if kind == "PNG":
        texts = PngInfo()
        texts.add_text("Title", MARK)
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options["pnginfo"] = texts
    else:
        options["xmp"] = xmp
    if kind == "JPEG":
        options["comment"] = MARK
        iptc = b"Photoshop 3.0\x00" + MARK.encode()
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return encoded(scalp(), kind, **options) + (MARK.encode() if kind == "JPEG" else b"")
