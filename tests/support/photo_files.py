"""Photo files written or changed by hand, as Pillow can't: headers that lie, odd depths, compressed runs."""

from __future__ import annotations

import struct
import zlib

from PIL import ExifTags, Image

from tests.support.pictures import encoded, photo_jpeg


def exif_block(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def photo_png(depth: int, color_type: int, row: bytes, height: int = 96, chunks: bytes = b"") -> bytes:
    """A PNG written by hand, for what Pillow can't write: `height` equal rows, as wide as `row` is long."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    width = len(row) * 8 // (depth * channels)
    return png_claiming(width, height, (b"\0" + row) * height, depth, color_type, chunks)


def png_claiming(
    width: int, height: int, rows: bytes, depth: int = 8, color_type: int = 2, chunks: bytes = b""
) -> bytes:
    """A PNG whose header says `width` × `height` in pixels, whatever `rows` (filter bytes included) hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + chunks
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def jpeg_claiming(width: int, height: int, jpeg: bytes | None = None) -> bytes:
    """A JPEG whose frame header says `width` × `height`, whatever its data hold."""
    data = bytearray(jpeg or photo_jpeg())
    frame = min(data.find(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data)
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def jpeg_with_scans(extra: int) -> bytes:
    """A progressive JPEG whose last, nearly empty scan is repeated: 23 bytes that cost a pass over it all."""
    data = encoded(Image.new("L", (1000, 1000), 128), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * extra + b"\xff\xd9"


def webp_claiming(width: int, height: int) -> bytes:
    """A WebP of 30 bytes and a little whose canvas is `width` × `height`."""
    frame = encoded(Image.new("RGB", (80, 80)), "WEBP")[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def heic_claiming(width: int, height: int, side: int = 1024) -> bytes:
    """A HEIC of `side` × `side` whose header says `width` × `height`."""
    data = encoded(Image.new("RGB", (side, side), (205, 150, 125)), "HEIF", quality=20)
    return replaced(data, _ispe(side, side), _ispe(width, height))


def _ispe(width: int, height: int) -> bytes:
    return b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (80, 80)), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def png_with_broken_tags(many: int) -> bytes:
    """A good PNG with EXIF tags that claim to be longer than all of it."""
    entries = b"".join(struct.pack("<HHII", tag, 7, 2**24, 8) for tag in range(many))
    exif = b"II*\0" + struct.pack("<IH", 8, many) + entries + bytes(4)
    return photo_png(8, 2, bytes(3 * 96), chunks=png_chunk(b"eXIf", exif))


def bmp_of_runs(side: int, runs: bytes, bits: int = 8) -> bytes:
    """A bitmap of `side` × `side` in a palette of black alone, compressed by runs: 8 or 4 bits a pixel."""
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, {8: 1, 4: 2}[bits], 0, 0, 0, 1 << bits, 0)
    offset = 14 + len(header) + (4 << bits)
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + header + bytes(4 << bits) + runs


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data, "the encoder writes this differently now"
    return data.replace(old, new)
