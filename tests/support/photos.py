"""Pictures for tests: good, odd and hostile ones, made on the spot from a few lines each.

`GOOD` are photos that a person would call fine, `REFUSED` files that must be turned away, with the code; both
map a name that reads in a test's id to a function that makes the bytes.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

from backend.analyses.photos import PHOTO_MAX_SIDE, PHOTO_MIN_SIDE
from ml.data.synthetic import draw_scalp

pillow_heif.register_heif_opener()

MARK = "hair-whorl-7Q"
"""A text that is hidden in every kind of metadata; none of it may come out at the other end."""

CORNERS = {"top left": "red", "top right": "lime", "bottom left": "blue", "bottom right": "yellow"}

Maker = Callable[[], bytes]


def scalp(width: int = 640, height: int = 480) -> Image.Image:
    """A field of skin with a few hairs: no likeness, but grain and edges as a photo has them."""
    skin = Image.effect_noise((width, height), 24).convert("RGB")
    skin = Image.blend(skin, Image.new("RGB", skin.size, (205, 150, 125)), 0.7)
    draw = ImageDraw.Draw(skin)
    for i in range(12):
        x = width * i // 12
        draw.line((x, 0, x + width // 5, height), fill=(45, 32, 28), width=max(2, width // 80))
    return skin


def drawn(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A synthetic scalp, as the models know them, with a little of everything."""
    return draw_scalp(seed, (1,) * 6).resize(size, Image.Resampling.BICUBIC)


def noise(size: tuple[int, int]) -> Image.Image:
    """Pixels that no compression makes smaller."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def quadrants(width: int = 320, height: int = 192) -> Image.Image:
    """Four plain quarters, coloured as in `CORNERS`, so that every turn and mirror shows."""
    picture = Image.new("RGB", (width, height), CORNERS["top left"])
    draw = ImageDraw.Draw(picture)
    right, bottom = width // 2, height // 2
    draw.rectangle((right, 0, width, bottom - 1), fill=CORNERS["top right"])
    draw.rectangle((0, bottom, right - 1, height), fill=CORNERS["bottom left"])
    draw.rectangle((right, bottom, width, height), fill=CORNERS["bottom right"])
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The file that Pillow writes: `kind` JPEG, MPO, PNG, WEBP, HEIF, AVIF, BMP, TIFF, GIF or PDF."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo_jpeg(width: int = 640, height: int = 480) -> bytes:
    """The usual upload."""
    return encoded(scalp(width, height), quality=90)


# Clean ones


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


# Good ones


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


def exif_block(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


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
    return _replaced(data, _ORIENTATION_1, _ORIENTATION_6)


_ORIENTATION_1 = struct.pack(">HHIH", 0x0112, 3, 1, 1)
_ORIENTATION_6 = struct.pack(">HHIH", 0x0112, 3, 1, 6)


def photo_mpo() -> bytes:
    """The photo with a second picture behind it, as phones store depth and gain maps."""
    return encoded(scalp(), "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120), "black")], quality=90)


def photo_mpo_with_huge_second_picture() -> bytes:
    """An MPO whose second picture claims 60,000 × 60,000: harmless as long as nobody seeks to it."""
    data = photo_mpo()
    second = data.rindex(b"\xff\xd8\xff")
    return data[:second] + jpeg_claiming(60_000, 60_000, data[second:])


def photo_heic_burst() -> bytes:
    """Several pictures in one HEIC; the second is the main one."""
    main = scalp()
    return encoded(Image.new("RGB", (320, 240), "blue"), "HEIF", save_all=True, append_images=[main], primary_index=1)


def photo_png(depth: int, colour_type: int, row: bytes, height: int = 96, chunks: bytes = b"") -> bytes:
    """A PNG written by hand, for what Pillow can't write: `height` equal rows, as wide as `row` is long."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    width = len(row) * 8 // (depth * channels)
    return png_claiming(width, height, (b"\0" + row) * height, depth, colour_type, chunks)


def png_claiming(
    width: int, height: int, rows: bytes, depth: int = 8, colour_type: int = 2, chunks: bytes = b""
) -> bytes:
    """A PNG whose header says `width` × `height` in pixels, whatever `rows` (filter bytes included) hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + chunks
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def photo_ycck(red: int, green: int, blue: int) -> bytes:
    """A CMYK JPEG as Adobe writes it: inks inverted and stored as YCCK. Plain colour, no black ink.

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


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_with_red_and_green_swapped() -> bytes:
    """A valid profile in which full red is what sRGB calls green."""
    return srgb_profile().replace(b"rXYZ", b"swap").replace(b"gXYZ", b"rXYZ").replace(b"swap", b"gXYZ")


def profile_with_mark() -> bytes:
    """sRGB whose description holds `MARK`."""
    name = "sRGB built-in"
    assert len(name) == len(MARK)
    return _replaced(srgb_profile(), name.encode("utf-16-be"), MARK.encode("utf-16-be"))


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


GOOD: dict[str, Maker] = {
    "JPEG": photo_jpeg,
    "JPEG of 12 megapixels": functools.partial(photo_jpeg, 4000, 3000),
    "progressive JPEG": lambda: encoded(scalp(), progressive=True),
    "grey JPEG": lambda: encoded(scalp().convert("L")),
    "CMYK JPEG": lambda: encoded(scalp().convert("CMYK")),
    "JPEG with a second picture (MPO)": photo_mpo,
    "MPO with a huge second picture": photo_mpo_with_huge_second_picture,
    "JPEG with a video behind it": lambda: photo_jpeg() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 64,
    "JPEG with broken EXIF": lambda: encoded(scalp(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "JPEG with a broken colour profile": lambda: encoded(scalp(), icc_profile=b"no profile" * 40),
    "PNG": lambda: encoded(scalp(), "PNG"),
    "palette PNG": lambda: encoded(scalp().quantize(64), "PNG"),
    "transparent PNG": lambda: encoded(scalp().convert("RGBA"), "PNG"),
    "grey PNG with alpha": lambda: encoded(scalp().convert("LA"), "PNG"),
    "16-bit grey PNG": lambda: photo_png(16, 0, struct.pack(">96H", *range(0, 57_600, 600))),
    "16-bit colour PNG": lambda: photo_png(16, 2, struct.pack(">288H", *range(0, 57_600, 200))),
    "black and white PNG": lambda: encoded(scalp().convert("1"), "PNG"),
    "WebP": lambda: encoded(scalp(), "WEBP"),
    "lossless WebP with alpha": lambda: encoded(scalp().convert("RGBA"), "WEBP", lossless=True),
    "HEIC": lambda: encoded(scalp(), "HEIF"),
    "HEIC in tiles": lambda: encoded(scalp(), "HEIF", tile_size=256),
    "HEIC burst": photo_heic_burst,
    "BMP": lambda: encoded(scalp(), "BMP"),
}


# Hostile and hopeless ones


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
    return _replaced(data, _ispe(side, side), _ispe(width, height))


def _ispe(width: int, height: int) -> bytes:
    return b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (80, 80)), "BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def png_with_broken_tags(many: int) -> bytes:
    """A good PNG, of whose EXIF so many tags say that they are longer than all of it."""
    entries = b"".join(struct.pack("<HHII", tag, 7, 2**24, 8) for tag in range(many))
    exif = b"II*\0" + struct.pack("<IH", 8, many) + entries + bytes(4)
    return photo_png(8, 2, bytes(3 * 96), chunks=png_chunk(b"eXIf", exif))


def bmp_of_runs(side: int, runs: bytes, bits: int = 8) -> bytes:
    """A bitmap of `side` × `side` in a palette of black alone, compressed by runs: 8 or 4 bits a pixel."""
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, {8: 1, 4: 2}[bits], 0, 0, 0, 1 << bits, 0)
    offset = 14 + len(header) + (4 << bits)
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + header + bytes(4 << bits) + runs


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (96, 96), colour) for colour in ("red", "lime", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def _cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data, "the encoder writes this differently now"
    return data.replace(old, new)


REFUSED: dict[str, tuple[Maker, str]] = {
    "nothing": (lambda: b"", "photo_empty"),
    "more than 10 MB": (lambda: photo_jpeg() + bytes(10 * 1024 * 1024), "photo_too_large"),
    "text": (lambda: b"this is no photo\n" * 20, "photo_type_unsupported"),
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
    "JPEG that claims exactly 50 megapixels": (lambda: jpeg_claiming(10_000, 5_000), "photo_too_many_pixels"),
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
        lambda: _replaced(photo_jpeg(), b"\xff\xdb", b"\xff\xfe\x00\x02" * 5000 + b"\xff\xdb"),
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
