"""Files whose own parts lie: lengths, counts and sizes in the heads of segments, chunks and boxes."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator
from typing import Final

from tests.hostile import formats
from tests.hostile.case import Case, photo_case
from tests.support.photo_files import heic_claiming, jpeg_claiming

LENGTHS: Final = (0, 1, 2, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

JPEG_SEGMENTS: Final = {"APP0": 0xE0, "APP1": 0xE1, "APP2": 0xE2, "DQT": 0xDB, "SOF": 0xC0, "DHT": 0xC4, "SOS": 0xDA}
PNG_CHUNKS: Final = ("IHDR", "iCCP", "IDAT", "IEND")
WEBP_CHUNKS: Final = ("RIFF", "VP8X", "VP8 ", "EXIF")
HEIC_BOXES: Final = (
    "ftyp", "meta", "hdlr", "pitm", "iloc", "iinf", "infe", "iref", "iprp", "ipco", "hvcC", "ispe", "colr", "ipma",
    "mdat",
)  # fmt: skip
#: Offset and struct format of each number in the head of a bitmap.
BMP_FIELDS: Final = {
    "file size": (2, "<I"), "offset of the pixels": (10, "<I"), "size of the head": (14, "<I"), "width": (18, "<I"),
    "height": (22, "<I"), "planes": (26, "<H"), "bits": (28, "<H"), "compression": (30, "<I"), "image size": (34, "<I"),
    "colors": (46, "<I"),
}  # fmt: skip


def structures() -> Iterator[Case]:
    yield from _jpeg()
    yield from _png()
    yield from _webp()
    yield from _heic()
    yield from _bmp()


def _case(name: str, make: Callable[[], bytes]) -> Case:
    return photo_case("structure", name, make)


def _put(make: Callable[[], bytes], find: Callable[[bytes], int], value: bytes) -> bytes:
    data = make()
    place = find(data)
    return data[:place] + value + data[place + len(value) :]


def _after(mark: bytes, by: int) -> Callable[[bytes], int]:
    return lambda data: data.index(mark) + by


def _jpeg() -> Iterator[Case]:
    jpeg = functools.cache(formats.ACCEPTED["JPEG"])
    for name, marker in JPEG_SEGMENTS.items():
        at = _after(bytes((0xFF, marker)), 2)
        for length in (0, 1, 2, 3, 0x8000, 0xFFFF):
            yield _case(f"JPEG, {name} of {length} bytes", functools.partial(_put, jpeg, at, struct.pack(">H", length)))
    for frame in (0xC1, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF, 0xDC):
        make = functools.partial(_put, jpeg, _after(b"\xff\xc0", 1), bytes((frame,)))
        yield _case(f"JPEG, frame of kind {frame:x}", make)
    for width, height in ((0, 0), (1, 1), (65535, 1), (640, 0), (65535, 65535), (7000, 7000), (64, 64)):
        yield _case(
            f"JPEG that claims {width} × {height}",
            functools.partial(lambda width, height: jpeg_claiming(width, height, jpeg()), width, height),
        )
    for place, what in ((4, "12 bits a sample"), (9, "255 components"), (11, "sampling of 15 × 15"), (12, "no table")):
        value = {4: b"\x0c", 9: b"\xff", 11: b"\xff", 12: b"\x09"}[place]
        yield _case(f"JPEG, {what}", functools.partial(_put, jpeg, _after(b"\xff\xc0", place), value))


def _png() -> Iterator[Case]:
    png = functools.cache(formats.ACCEPTED["PNG"])
    for chunk in PNG_CHUNKS:
        for length in LENGTHS:
            at = _after(chunk.encode(), -4)
            yield _case(f"PNG, {chunk} of {length} bytes", functools.partial(_put, png, at, struct.pack(">I", length)))
        for other in (b"IDAT", b"acTL", b"fdAT", b"PLTE", b"tRNS", b"\0\0\0\0", "헤드".encode("euc-kr")):
            make = functools.partial(_put, png, _after(chunk.encode(), 0), other)
            yield _case(f"PNG, {chunk} called {other!r}", make)
    for depth, color in ((0, 2), (16, 3), (3, 0), (8, 1), (8, 7), (255, 255)):
        make = functools.partial(_put, png, _after(b"IHDR", 12), bytes((depth, color)))
        yield _case(f"PNG, depth {depth} and color type {color}", make)
    for place, what in ((14, "compression"), (15, "filter"), (16, "interlacing")):
        yield _case(f"PNG, {what} 255", functools.partial(_put, png, _after(b"IHDR", place), b"\xff"))


def _webp() -> Iterator[Case]:
    webp = functools.cache(formats.ACCEPTED["WebP"])
    for chunk in WEBP_CHUNKS:
        for length in LENGTHS:
            at = _after(chunk.encode(), 4)
            yield _case(
                f"WebP, {chunk} of {length} bytes", functools.partial(_put, webp, at, struct.pack("<I", length))
            )
        for other in (b"ANIM", b"ANMF", b"ALPH", b"VP8L", b"VP8X"):
            make = functools.partial(_put, webp, _after(chunk.encode(), 0), other)
            yield _case(f"WebP, {chunk} called {other!r}", make)


def _heic() -> Iterator[Case]:
    heic = functools.cache(formats.ACCEPTED["HEIC"])
    there = [box for box in HEIC_BOXES if box.encode() in heic()]
    assert len(there) > 10, "the encoder writes this differently now"
    for box in there:
        for length in LENGTHS:
            at = _after(box.encode(), -4)
            yield _case(f"HEIC, {box} of {length} bytes", functools.partial(_put, heic, at, struct.pack(">I", length)))
        yield _case(f"HEIC, {box} called free", functools.partial(_put, heic, _after(box.encode(), 0), b"free"))
        for value in (bytes(16), b"\xff" * 16):
            make = functools.partial(_put, heic, _after(box.encode(), 8), value)
            yield _case(f"HEIC, {box} that holds {value[:2].hex()}…", make)
        yield _case(f"HEIC, {box} a thousand times", functools.partial(_repeated_box, heic, box.encode()))
    for width, height in (
        (0, 0),
        (1, 1),
        (64, 64),
        (199, 149),
        (1000, 700),
        (7000, 7000),
        (60_000, 60_000),
        (2**31, 2),
    ):
        make = functools.partial(heic_claiming, width, height, 256)
        yield _case(f"HEIC that claims {width} × {height} over 256 × 256", make)
    for deep in (100, 20_000):
        yield _case(f"HEIC, boxes {deep} deep", functools.partial(_deep_boxes, deep))


def _repeated_box(make: Callable[[], bytes], box: bytes) -> bytes:
    data = make()
    start = data.index(box) - 4
    size = int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[start : start + min(size, 4096)] * 1000 + data[start:]


def _deep_boxes(deep: int) -> bytes:
    inside = b""
    for _ in range(deep):
        inside = struct.pack(">I", len(inside) + 12) + b"meta" + bytes(4) + inside if len(inside) < 2**20 else inside
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + inside


def _bmp() -> Iterator[Case]:
    bmp = functools.cache(formats.ACCEPTED["BMP"])
    for name, (place, kind) in BMP_FIELDS.items():
        for value in LENGTHS:
            packed = struct.pack(kind, value & (0xFFFF if kind == "<H" else 0xFFFFFFFF))
            yield _case(f"BMP, {name} {value}", functools.partial(_put, bmp, lambda _data, at=place: at, packed))
