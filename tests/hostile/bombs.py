"""Small files that want to become large or slow ones."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.hostile import formats
from tests.hostile.case import PHOTO, REFUSED, Case, photo_case
from tests.support.photo_files import (
    bmp_claiming,
    bmp_of_runs,
    heic_claiming,
    jpeg_claiming,
    jpeg_with_scans,
    png_chunk,
    png_claiming,
    webp_claiming,
)
from tests.support.pictures import encoded, noise

#: The side of a square just below the limit of 50 megapixels.
FULL = 7000


def bombs() -> Iterator[Case]:
    for name, make in _TOO_MUCH.items():
        yield photo_case("bomb", name, make, REFUSED)
    for name, make in _JUST_BELOW.items():
        yield photo_case("bomb just below the limit", name, make, PHOTO)


def zeros(many: int) -> bytes:
    """`many` zero bytes, compressed by zlib: in pieces that are all alike, so ten gigabytes take no time."""
    piece = 2**20
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = deflate.compress(bytes(piece)) + deflate.flush(zlib.Z_FULL_FLUSH)
    rest = zlib.compressobj(9, zlib.DEFLATED, -15)
    last = rest.compress(bytes(many % piece)) + rest.flush()
    adler = (many % 65521) << 16 | 1
    return b"\x78\xda" + first * (many // piece) + last + struct.pack(">I", adler)


def png_of_zeros(
    width: int, height: int, depth: int = 8, color_type: int = 2, *, interlaced: bool = False, chunks: bytes = b""
) -> bytes:
    """A PNG that holds every zero it claims; where it is interlaced some more."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    rows = (width * channels * depth // 8 + 2) * height * (2 if interlaced else 1)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + chunks
        + png_chunk(b"IDAT", zeros(rows))
        + png_chunk(b"IEND", b"")
    )


def _with_chunks(chunks: bytes) -> bytes:
    return png_claiming(96, 96, bytes((1 + 3 * 96) * 96), chunks=chunks)


def _text(kind: bytes, megabytes: int) -> bytes:
    head = {b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\x01\0\0\0", b"iCCP": b"sRGB\0\0"}[kind]
    return png_chunk(kind, head + zeros(megabytes * 2**20))


def _apng(frames: int) -> bytes:
    control = png_chunk(b"acTL", struct.pack(">II", frames, 0))
    frame = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 96, 96, 0, 0, 1, 1, 0, 0))
    return _with_chunks(control + frame)


def _webp_frames(frames: int) -> bytes:
    tiny = encoded(Image.new("RGB", (64, 64)), "WEBP")[12:]
    frame_body = bytes(3 + 3) + (63).to_bytes(3, "little") * 2 + bytes(4) + tiny
    frame = b"ANMF" + struct.pack("<I", len(frame_body)) + frame_body + bytes(len(frame_body) % 2)
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02" + bytes(3) + (8191).to_bytes(3, "little") * 2
    body = b"WEBP" + canvas + b"ANIM" + struct.pack("<I", 6) + bytes(6) + frame * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _plain(kind: str, mode: str = "RGB", side: int = FULL, **options: object) -> bytes:
    return encoded(Image.new(mode, (side, side)), kind, **options)


@functools.cache
def _progressive(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last, nearly empty scan is repeated."""
    data = _plain("JPEG", "L", side, progressive=True, quality=30)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + b"\xff\xd9"


def _in_pieces() -> bytes:
    pixels = zlib.compress(bytes((1 + 3 * 512) * 384), 0)
    pieces = b"".join(png_chunk(b"IDAT", pixels[place : place + 1]) for place in range(len(pixels)))
    head = struct.pack(">IIBBBBB", 512, 384, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + pieces + png_chunk(b"IEND", b"")


def _ico_of(png: bytes) -> bytes:
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(png), 22) + png


def _gif(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("P", (16, 16)).save(file, "GIF")
    data = bytearray(file.getvalue())
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


_TOO_MUCH = {
    "PNG of 60,000 × 60,000 zero pixels, one bit each": lambda: png_of_zeros(60_000, 60_000, 1, 0),
    "PNG of 60,000 × 60,000 gray zero pixels": lambda: png_of_zeros(60_000, 60_000, 8, 0),
    "PNG of 50,000 × 50,000 zero pixels in color": lambda: png_of_zeros(50_000, 50_000),
    "PNG of 60,000 × 60,000 zero pixels, interlaced": lambda: png_of_zeros(60_000, 60_000, 1, 0, interlaced=True),
    "PNG of 12,000 × 4,200 zero pixels": lambda: png_of_zeros(12_000, 4_200),
    "PNG that claims 2,147,483,647 × 2,147,483,647": lambda: png_claiming(2**31 - 1, 2**31 - 1, bytes(99)),
    "PNG that claims 4,294,967,295 × 64": lambda: png_claiming(2**32 - 1, 64, bytes(99)),
    "PNG that claims 7,000 × 7,000 over nothing": lambda: png_claiming(FULL, FULL, b""),
    "PNG that moves, of a billion frames": lambda: _apng(10**9),
    "WebP that claims 16,384 × 16,384": lambda: webp_claiming(16_384, 16_384),
    "WebP that claims 16,777,216 × 1": lambda: webp_claiming(2**24, 1),
    "WebP that claims 7,000 × 7,000 over 80 × 80": lambda: webp_claiming(FULL, FULL),
    "WebP of a thousand frames on 8,192 × 8,192": lambda: _webp_frames(1000),
    "WebP of 10,000 × 6,000": lambda: encoded(Image.new("RGB", (10_000, 6_000)), "WEBP", lossless=True, quality=0),
    "JPEG that claims 65,500 × 65,500": lambda: jpeg_claiming(65_500, 65_500),
    "JPEG that claims 10,000 × 5,000": lambda: jpeg_claiming(10_000, 5_000),
    "JPEG of 60 scans": lambda: jpeg_with_scans(60),
    "JPEG of 100,000 scans": lambda: jpeg_with_scans(100_000),
    "JPEG of a million empty segments": lambda: b"\xff\xd8" + b"\xff\xfe\x00\x02" * 10**6 + b"\xff\xd9",
    "JPEG of ten million fill bytes": lambda: b"\xff\xd8" + b"\xff" * 10**7,
    "JPEG of five million restarts": lambda: b"\xff\xd8\xff" + b"\xff\xd0" * (5 * 10**6 - 100),
    "JPEG of ten megabytes of nothing but starts": lambda: b"\xff\xd8" * (5 * 10**6),
    "HEIC that claims 65,535 × 65,535": lambda: heic_claiming(65_535, 65_535, 128),
    "HEIC that claims 7,000 × 7,000 over 128 × 128": lambda: heic_claiming(FULL, FULL, 128),
    "HEIC that claims 100 × 100 over 3,000 × 3,000": lambda: heic_claiming(100, 100, 3000),
    "BMP that claims 2,147,483,647 × 2,147,483,647": lambda: bmp_claiming(2**31 - 1, 2**31 - 1),
    "BMP that claims 65,535 × -65,535": lambda: bmp_claiming(65_535, -65_535),
    "BMP that claims 7,000 × 7,000 over 80 × 80": lambda: bmp_claiming(FULL, FULL),
    "BMP in runs that end each row early": lambda: bmp_of_runs(FULL, b"\x01\0\0\0" * FULL),
    "BMP in runs of four bits": lambda: bmp_of_runs(FULL, (b"\xff\0" * 28 + b"\0\0") * FULL, 4),
    "BMP in runs, ten megabytes of them": lambda: bmp_of_runs(FULL, b"\x01\0" * 5 * 2**20)[: 10 * 2**20],
    "icon with a PNG bomb inside": lambda: _ico_of(png_of_zeros(60_000, 60_000, 1, 0)),
    "GIF that claims 65,535 × 65,535": lambda: _gif(65_535, 65_535),
    "gzip of a gigabyte": lambda: b"\x1f\x8b\x08" + bytes(7) + zeros(2**30)[2:-4] + struct.pack("<II", 0, 2**30),
}
#: What is honest as far as its head can tell, and as dear as it gets.
_JUST_BELOW = {
    "PNG in color": lambda: png_of_zeros(FULL, FULL),
    "PNG with alpha": lambda: png_of_zeros(FULL, FULL, 8, 6),
    "PNG of 16 bits with alpha": lambda: png_of_zeros(FULL, FULL, 16, 6),
    "PNG of 16 bits gray": lambda: png_of_zeros(FULL, FULL, 16, 0),
    "PNG of one bit": lambda: png_of_zeros(FULL, FULL, 1, 0),
    "PNG of one bit with a transparent color": lambda: png_of_zeros(
        FULL, FULL, 1, 0, chunks=png_chunk(b"tRNS", bytes(2))
    ),
    "PNG of a palette with transparent entries": lambda: png_of_zeros(
        FULL, FULL, 8, 3, chunks=png_chunk(b"PLTE", bytes(768)) + png_chunk(b"tRNS", bytes(256))
    ),
    "PNG interlaced": lambda: png_of_zeros(FULL, FULL, interlaced=True),
    "PNG over little": lambda: png_claiming(FULL, FULL, bytes(99)),
    "PNG with zTXt of a gigabyte": lambda: _with_chunks(_text(b"zTXt", 1024)),
    "PNG with iTXt of a gigabyte": lambda: _with_chunks(_text(b"iTXt", 1024)),
    "PNG with iCCP of a gigabyte": lambda: _with_chunks(_text(b"iCCP", 1024)),
    "PNG with 3,000 zTXt of a megabyte": lambda: _with_chunks(_text(b"zTXt", 1) * 3000),
    "PNG with 800,000 empty chunks": lambda: _with_chunks(png_chunk(b"teXt", b"") * 800_000),
    "PNG with 600,000 short texts": lambda: _with_chunks(png_chunk(b"tEXt", b"a\0b") * 600_000),
    "PNG with 800,000 empty pieces of pixels": lambda: png_of_zeros(96, 96, chunks=png_chunk(b"IDAT", b"") * 800_000),
    "PNG of pixels in pieces of one byte": _in_pieces,
    "PNG whose little picture hides four gigabytes": lambda: (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 96, 96, 8, 2, 0, 0, 0))
        + png_chunk(b"IDAT", zeros(4 * 2**30))
        + png_chunk(b"IEND", b"")
    ),
    "WebP lossy": lambda: _plain("WEBP", side=4000, quality=1, method=0),
    "WebP lossless with alpha": lambda: _plain("WEBP", "RGBA", 4000, lossless=True, quality=0, method=0),
    "JPEG": lambda: _plain("JPEG"),
    "JPEG in four inks": lambda: _plain("JPEG", "CMYK"),
    "JPEG, progressive, of 50 scans": lambda: _progressive(FULL, 40),
    "JPEG, progressive, in four inks": lambda: _plain("JPEG", "CMYK", 6600, progressive=True),
    "JPEG, progressive, of noise": lambda: encoded(noise((1900, 1900)), "JPEG", quality=95, progressive=True),
    "JPEG that claims 7,000 × 7,000 over 640 × 480": lambda: jpeg_claiming(FULL, FULL),
    "HEIC": lambda: encoded(Image.new("RGB", (6_000, 4_000)), "HEIF", quality=1),
    "noise of ten megabytes": lambda: encoded(noise((1850, 1850)), "PNG", compress_level=0)[: 10 * 2**20],
    "MPO with five hundred pictures behind": lambda: formats.ACCEPTED["MPO"]() + formats.ACCEPTED["JPEG"]() * 500,
}
