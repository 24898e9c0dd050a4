"""Photos that carry more than a picture: scripts, loops, markers to be found again, and megabytes of all that."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator

from tests.hostile import formats
from tests.hostile.case import PHOTO, Case, photo_case
from tests.support.photo_files import png_chunk, png_with_broken_tags
from tests.support.photo_metadata import MARK, photo_telling_all, srgb_profile
from tests.support.pictures import encoded

SCRIPTS = {
    "a script": b"<script>alert(document.domain)</script>",
    "PHP": b"<?php system($_GET['c']); ?>",
    "a shell": b"$(id > /tmp/scalp); `id`; | id",
    "SQL": b"'; DROP TABLE human; --",
    "a template": b"{{ settings.SECRET_KEY }}{% debug %}${7*7}",
    "a look-up": b"${jndi:ldap://127.0.0.1/a}",
    "an entity": b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]><x>&x;</x>',
    "a million laughs": b"<!DOCTYPE x [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (c, b"&%c;" % (c - 1) * 10) for c in range(98, 107))
    + b"]><x>&j;</x>",
    "bytes that are not text": bytes(range(256)),
}

#: IFD entries, little-endian: tag, type, count, value.
_ENTRY = "<HHII"


def ifd(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    body = b"".join(struct.pack(_ENTRY, *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def tiff(*blocks: bytes) -> bytes:
    """A TIFF head whose first IFD is at 8, with what else there is behind it."""
    return b"II*\0" + struct.pack("<I", 8) + b"".join(blocks)


_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, _ORIENTATION = 0x8769, 0x8825, 0xA005, 0x0112

TIFFS: dict[str, bytes] = {
    "an IFD that follows itself": tiff(ifd((_ORIENTATION, 3, 1, 6), following=8)),
    "an EXIF IFD that is the first one": tiff(ifd((_EXIF_IFD, 4, 1, 8), (_GPS_IFD, 4, 1, 8))),
    "two IFDs that hold each other": tiff(
        ifd((_EXIF_IFD, 4, 1, 26)), ifd((_EXIF_IFD, 4, 1, 8), (_INTEROP_IFD, 4, 1, 8))
    ),
    "an IFD that lies behind the end": tiff(ifd((_EXIF_IFD, 4, 1, 0xFFFFFFF0), following=0xFFFFFFF0)),
    "65,535 entries": tiff(struct.pack("<H", 65535), struct.pack(_ENTRY, _ORIENTATION, 3, 1, 6) * 5000),
    "four billion values": tiff(ifd((_ORIENTATION, 3, 0xFFFFFFFF, 8), (0x010E, 2, 0xFFFFFFFF, 8))),
    "an orientation of every type": tiff(ifd(*((_ORIENTATION, kind, 1, 6) for kind in range(20)))),
    "an orientation of 4,294,967,295": tiff(ifd((_ORIENTATION, 4, 1, 0xFFFFFFFF))),
    "an orientation that is a fraction over nothing": tiff(ifd((_ORIENTATION, 5, 1, 26)), struct.pack("<II", 6, 0)),
    "a BigTIFF": b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + bytes(64),
    "a maker note of its own": tiff(ifd((0x927C, 7, 60_000, 26)), b"\xff" * 60_000),
    "nothing but a head": tiff(),
}


def metadata() -> Iterator[Case]:
    for name, text in SCRIPTS.items():
        for kind, carry in _CARRIERS.items():
            yield photo_case("metadata", f"{kind} holding {name}", functools.partial(carry, text), frozenset({202}))
    for name, block in TIFFS.items():
        for kind in ("JPEG", "PNG", "WEBP", "HEIF"):
            make = functools.partial(encoded, formats.picture(), kind, exif=b"Exif\0\0" + block)
            yield photo_case("metadata", f"{kind}, EXIF with {name}", _unless_refused(make), PHOTO)
        yield photo_case("metadata", f"MPO, index with {name}", functools.partial(_mpo_index, block), PHOTO)
    for kind in ("JPEG", "PNG", "WEBP", "HEIF"):
        make = functools.partial(photo_telling_all, kind)
        yield photo_case("metadata", f"{kind} with {MARK} everywhere", make, frozenset({202}))
    for name, make in _HUGE.items():
        yield photo_case("huge metadata", name, make, PHOTO)


def _unless_refused(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """The block put in by hand where Pillow looks into what it writes and does not like it."""

    def made() -> bytes:
        try:
            return make()
        except Exception:
            return _segment(0xE1, make.keywords["exif"])  # type: ignore[attr-defined]

    return made


def _segment(marker: int, *bodies: bytes) -> bytes:
    """The usual JPEG with further segments behind its start, of 65,533 bytes at most each."""
    jpeg = formats.ACCEPTED["progressive JPEG"]()
    segments = b"".join(bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return jpeg[:2] + segments + jpeg[2:]


def _mpo_index(block: bytes) -> bytes:
    return _segment(0xE2, b"MPF\0" + block[:65_000])


def _chunks(*chunks: bytes) -> bytes:
    """The usual PNG with further chunks behind its head."""
    png = formats.ACCEPTED["PNG"]()
    return png[:33] + b"".join(chunks) + png[33:]


def _webp(name: bytes, body: bytes) -> bytes:
    webp = formats.ACCEPTED["WebP"]()
    more = name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(webp) - 8 + len(more)) + webp[8:] + more


def _icc(profile: bytes) -> bytes:
    pieces = [profile[place : place + 65_000] for place in range(0, len(profile), 65_000)]
    numbered = ((min(n + 1, 255), min(len(pieces), 255)) for n in range(len(pieces)))
    return _segment(
        0xE2, *(b"ICC_PROFILE\0" + bytes(place) + piece for place, piece in zip(numbered, pieces, strict=True))
    )


def _profile(padding: int, tags: int = 0) -> bytes:
    """sRGB, `padding` bytes longer, or claiming `tags` tags."""
    profile = bytearray(srgb_profile() + bytes(padding))
    profile[:4] = struct.pack(">I", len(profile))
    if tags:
        profile[128:132] = struct.pack(">I", tags)
    return bytes(profile)


def _of_lut(points: int) -> bytes:
    """A profile whose way to the connection space is a table of `points` in each of three directions."""
    table = struct.pack(">4s4xBBBx9i", b"mft1", 3, 3, points, *(65536 * (n % 4 == 0) for n in range(9)))
    table += bytes(range(256)) * 3 + bytes(points**3 * 3) + bytes(range(256)) * 3
    head = bytearray(srgb_profile()[:128])
    head[:4] = struct.pack(">I", 128 + 4 + 12 + len(table))
    return bytes(head) + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


_CARRIERS: dict[str, Callable[[bytes], bytes]] = {
    "JPEG, comment": lambda text: _segment(0xFE, text),
    "JPEG, EXIF": lambda text: _segment(0xE1, b"Exif\0\0" + tiff(ifd((0x010E, 2, len(text), 26)), text)),
    "JPEG, XMP": lambda text: _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text),
    "JPEG, IPTC": lambda text: _segment(0xED, b"Photoshop 3.0\0" + text),
    "PNG, text": lambda text: _chunks(png_chunk(b"tEXt", b"Comment\0" + text)),
    "PNG, XMP": lambda text: _chunks(png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text)),
    "WebP, XMP": lambda text: _webp(b"XMP ", text),
}
_HUGE: dict[str, Callable[[], bytes]] = {
    "JPEG, 140 comments of 64 KB": lambda: _segment(0xFE, *[b"x" * 65_533] * 140),
    "JPEG, nine megabytes of application segments": lambda: _segment(0xEF, *[bytes(65_533)] * 140),
    "JPEG, XMP in 140 pieces": lambda: _segment(0xE1, *[b"http://ns.adobe.com/xmp/extension/\0" + b"<" * 65_000] * 140),
    "JPEG, a color profile of nine megabytes": lambda: _icc(_profile(9 * 2**20)),
    "JPEG, a color profile of four billion tags": lambda: _icc(_profile(0, 0xFFFFFFFF)),
    "JPEG, a color profile of a table of 128³": lambda: _icc(_of_lut(128)),
    "JPEG, a color profile of a table of 255³, cut": lambda: _icc(_of_lut(255)[: 9 * 2**20]),
    "JPEG, 900 color profiles": lambda: _segment(0xE2, *[b"ICC_PROFILE\0\x01\x01" + srgb_profile()] * 900),
    "JPEG, EXIF of 64 KB in 100 pieces": lambda: _segment(0xE1, *[b"Exif\0\0" + bytes(65_000)] * 100),
    "PNG, text of nine megabytes": lambda: _chunks(png_chunk(b"tEXt", b"Comment\0" + b"x" * 9 * 2**20)),
    "PNG, EXIF of nine megabytes": lambda: _chunks(png_chunk(b"eXIf", TIFFS["four billion values"] + bytes(9 * 2**20))),
    "PNG, EXIF of 65,535 broken tags": lambda: png_with_broken_tags(65_535),
    "PNG, a color profile of a table of 60³": lambda: encoded(formats.picture(), "PNG", icc_profile=_of_lut(60)),
    "WebP, XMP of nine megabytes": lambda: _webp(b"XMP ", b"<" * 9 * 2**20),
    "WebP, 500,000 unknown chunks": lambda: _webp(b"XMP ", b"") + b"abcd\0\0\0\0" * 500_000,
    "WebP, EXIF of nine megabytes": lambda: _webp(b"EXIF", bytes(9 * 2**20)),
    "HEIC, EXIF of four megabytes": lambda: encoded(
        formats.picture(), "HEIF", exif=b"Exif\0\0" + tiff() + bytes(2**22)
    ),
    "HEIC, nine megabytes behind it": lambda: formats.ACCEPTED["HEIC"]() + bytes(9 * 2**20),
    "BMP, nine megabytes behind it": lambda: formats.ACCEPTED["BMP"]() + b"MZ" + bytes(9 * 2**20),
}
