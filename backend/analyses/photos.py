"""Checks and cleans uploaded photos before anything is stored.

Accepted, because phones and scalp scopes write them: JPEG (nearly every camera, also as MPO, the JPEG with
a depth or gain map behind it), HEIC (iPhone, Samsung), PNG and WebP (screenshots, messengers), BMP (the
snapshot software of USB scopes). Not accepted, though Pillow could read them: TIFF and raw files (no phone
sends one, and their decoders have the longest record of holes), GIF (256 colors say nothing about redness),
AVIF (no phone camera writes it, and its decoder trusts the data more than the header that was checked:
4 KB whose header says 200 × 200 made libavif 1.4.2 take 550 MB for a 16384 × 16384 picture inside).
"""

import contextlib
import io
import re
import warnings
from dataclasses import dataclass
from typing import Final

import pillow_heif
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, ImageCms

from backend.analyses.decoding import (
    LARGE_BYTES,
    REDUCING_GAP,
    bytes_needed,
    reduction,
    reserve_memory,
    shrink,
)
from backend.analyses.errors import QueueFull
from backend.config.errors import COMMON, UserError

PHOTO_MAX_BYTES: Final = 10 * 1024 * 1024
PHOTO_MAX_PIXELS: Final = 50_500_000
"""Photos of this many pixels and up are refused. "50 megapixels" of phones are up to 8192 × 6144, or 50.3 million.
Formats whose decoder cannot shrink have to fit `decoding.LARGE_BYTES` as well."""
PHOTO_MAX_SIDE: Final = 1600
"""Long side of the clean photo, in pixels: over five times what the graders look at."""
PHOTO_MIN_SIDE: Final = 64
"""Short side below which a picture is an icon or a thumbnail: the graders look at 300 × 300, and no hair
can be told from the skin in what is blown up five times."""
PHOTO_MAX_ASPECT: Final = 5
"""Long side over short side. Panoramas reach about 4; what is longer is a strip or a scrolled page."""

# Each scan of a progressive JPEG passes over all of its pixels, and an empty one takes 23 bytes: 10 MB of
# them would keep a core busy for hours. Encoders write about ten. Segments are copied one by one while the
# header is read; extended XMP with a depth map inside, the longest honest case, has some 160.
_JPEG_MAX_SCANS = 50
_JPEG_MAX_SEGMENTS = 1000
# Fill bytes and junk before the first scan, which Pillow passes over one by one: ten megabytes took it 8 s.
_JPEG_MAX_FILLING = 65_536
# A marker that starts a segment, ends the image or starts a scan: not stuffing, filling or a restart. Of a run of fill
# bytes only the last is asked for: a `+` there would try a run that no marker ends again from each of its bytes.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
_JPEG_SOS, _JPEG_EOI = 0xDA, 0xD9
_JPEG_PROGRESSIVE_SOF = {0xC2, 0xC6, 0xCA, 0xCE}
_JPEG_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # The others are tables.

# Each chunk of a PNG passes through Pillow's hands as well: 800,000 empty ones took it 7 s. Encoders write pixels in
# chunks of 8 KB (libpng) or 64 KB (Pillow).
_PNG_MAX_CHUNKS = 10_000
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt"}

# Compression of a bitmap by runs of equal pixels, of 4 or 8 bits. As little a photo as a GIF, and Pillow unpacks it in
# Python: 14 KB that end each of 3,500 rows early took it 3 s.
_BMP_RUNS = {b"\x01\0\0\0", b"\x02\0\0\0"}

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow raises past twice its limit and only warns below. Half of our limit makes its error occur exactly at ours,
# also inside the WebP reader, which allocates the canvas while it opens; a warning filter, the other way to
# stop there, would be shared and reset between threads.
Image.MAX_IMAGE_PIXELS = PHOTO_MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Pillow warns of each tag of EXIF that is broken. One photo can have 65,535 of them: each a line in the log, and each
# kept in memory for good, so as not to be said twice.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# An embedded thumbnail may show another picture than the one that was sent, so it is never decoded instead.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


@dataclass(frozen=True)
class CleanPhoto:
    """A photo that is safe to store: sRGB baseline JPEG, upright, no metadata of any kind."""

    jpeg: bytes
    width: int
    """Pixels, 64 … 1600."""
    height: int
    """Pixels, 64 … 1600."""


class PhotoRefused(UserError):
    """A user error: the upload is not a photo that can be graded.

    `code` is stable, `status` the HTTP status, `detail` a lazily translated sentence that says what happened
    and what to do.
    """

    REFUSALS: Final[dict[str, tuple[int, Promise | str]]] = {
        "photo_empty": (422, _("The photo is empty. Please choose it again.")),
        "photo_too_large": (413, COMMON[413][1]),
        "photo_too_many_pixels": (
            413,
            _(
                "The photo has more than 50 megapixels, or 16 as a WebP. Please lower the camera's resolution and take"
                " it again."
            ),
        ),
        "photo_type_unsupported": (
            415,
            _("We can’t read this file as a photo. Please send a JPEG, HEIC, PNG, WebP or BMP."),
        ),
        "photo_unreadable": (
            422,
            _("The photo is damaged or incomplete. Please send it again or take a new one."),
        ),
        "photo_animated": (422, _("The picture is animated. Please send a single photo.")),
        "photo_too_small": (
            422,
            _("The photo is smaller than 64 pixels on one side. Please send the original, not a thumbnail."),
        ),
        "photo_too_narrow": (
            422,
            _("The photo is more than five times as long as it is wide. Please crop it to the scalp."),
        ),
    }

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.detail = self.REFUSALS[code]

    @classmethod
    def codes(cls) -> dict[str, tuple[int, str | Promise]]:
        return dict(cls.REFUSALS)


def photo_clean(data: bytes) -> CleanPhoto:
    """Checks an uploaded file and returns it as a `CleanPhoto`.

    The format is told from the content, and only that format's decoder is tried. The size is checked in the
    header, before a pixel is decoded, and only the main picture of a file is looked at. Thread-safe.

    Raises `PhotoRefused` if anything is wrong with the file, and `QueueFull` if there is no memory to decode
    it within `DECODE_WAIT_SECONDS`.
    """
    if not data:
        raise PhotoRefused("photo_empty")
    if len(data) > PHOTO_MAX_BYTES:
        raise PhotoRefused("photo_too_large")
    photo_format = _format(data)
    if photo_format is None:
        raise PhotoRefused("photo_type_unsupported")
    try:
        return _decode_and_clean(data, photo_format)
    except (PhotoRefused, QueueFull):
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PhotoRefused("photo_too_many_pixels") from error
    except Exception as error:
        # A dozen decoders in C and Python raise any exception on a broken file, from struct.error to
        # AssertionError. The cause stays attached for the log.
        raise PhotoRefused("photo_unreadable") from error


def _format(data: bytes) -> str | None:
    """Pillow's name of the accepted format that the first bytes announce, or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and data[15:18] == bytes(3):
        # The header's size, below 256, tells a bitmap from a text that starts with these two letters.
        return None if data[14] >= 40 and data[30:34] in _BMP_RUNS else "BMP"
    if data[4:8] == b"ftyp":
        brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
        if not _HEIC_BRANDS.isdisjoint(brands[i : i + 4] for i in range(0, len(brands), 4)):
            return "HEIF"
    return None


def _decode_and_clean(data: bytes, photo_format: str) -> CleanPhoto:
    buffered = False
    if photo_format == "JPEG":
        buffered = _check_jpeg_structure(data)
    elif photo_format == "PNG":
        data = _without_png_texts(data)
    with Image.open(io.BytesIO(data), formats=(photo_format,)) as image:
        _check_header(image)
        needed = bytes_needed(image, PHOTO_MAX_SIDE, buffered=buffered)
        if needed > LARGE_BYTES:
            raise PhotoRefused("photo_too_many_pixels")
        with reserve_memory(needed):
            return _clean(image)


def _clean(image: Image.Image) -> CleanPhoto:
    exif, profile = image.info.get("exif"), image.info.get("icc_profile")
    # While it decodes a large JPEG, libjpeg skips what would be thrown away; the gap keeps enough for the resampling
    # to look the same. Colors are converted afterwards, over fewer pixels.
    if image.format in {"JPEG", "MPO"}:
        side = round(PHOTO_MAX_SIDE * REDUCING_GAP)
        image.draft(None, (min(side, image.width), min(side, image.height)))
    picture = shrink(image, reduction(image.size, PHOTO_MAX_SIDE))
    picture.thumbnail((PHOTO_MAX_SIDE, PHOTO_MAX_SIDE), Image.Resampling.LANCZOS)
    picture = _convert_to_srgb(picture, profile)
    picture = _rotate_upright(picture, exif)
    picture.info.clear()  # Pillow would write the comment into the new file.
    jpeg = io.BytesIO()
    # Full color resolution: a red halo around a follicle is a few pixels wide.
    picture.save(jpeg, "JPEG", quality=92, subsampling=0)
    return CleanPhoto(jpeg.getvalue(), *picture.size)


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if width * height >= PHOTO_MAX_PIXELS:
        raise PhotoRefused("photo_too_many_pixels")
    if min(width, height) < PHOTO_MIN_SIDE:
        raise PhotoRefused("photo_too_small")
    if max(width, height) > PHOTO_MAX_ASPECT * min(width, height):
        raise PhotoRefused("photo_too_narrow")
    # Further pictures in a JPEG or HEIC belong to one photo (depth, gain map, burst); in these two they move.
    if image.format in {"PNG", "WEBP"} and getattr(image, "is_animated", False):
        raise PhotoRefused("photo_animated")


def _check_jpeg_structure(data: bytes) -> bool:
    """Refuses a JPEG whose main picture has more scans, segments or filling than any camera writes, or no scan. Returns
    whether libjpeg will keep the coefficients of the whole picture: of a progressive one, or if a scan lacks a channel.
    """
    scans = segments = filling = components = 0
    position = 2
    buffered = False
    while (match := _JPEG_MARKER.search(data, position)) and match[1][0] != _JPEG_EOI:
        marker, content = match[1][0], data[match.end() : match.end() + 8]
        segments += 1
        filling += 0 if scans else match.start() - position
        if marker in _JPEG_SOF and not scans:
            buffered |= marker in _JPEG_PROGRESSIVE_SOF
            components = content[7] if len(content) > 7 else 0
        if marker == _JPEG_SOS:
            scans += 1
            buffered |= len(content) < 3 or content[2] < components
        if scans > _JPEG_MAX_SCANS or segments > _JPEG_MAX_SEGMENTS or filling > _JPEG_MAX_FILLING:
            raise PhotoRefused("photo_unreadable")
        position = match.end() + int.from_bytes(content[:2], "big")
    if not scans:
        raise PhotoRefused("photo_unreadable")
    return buffered


def _without_png_texts(data: bytes) -> bytes:
    """The file without its texts, which we would not keep, and of which Pillow refuses the long ones that image editors
    write. Refuses a PNG of more chunks than any encoder writes.
    """
    kept, position = [data[:8]], 8
    for _chunk in range(_PNG_MAX_CHUNKS):
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if position >= len(data) or kind == b"IEND":
            return b"".join([*kept, data[position:]])
        if kind not in _PNG_TEXTS:
            kept.append(data[position:end])
        position = end
    raise PhotoRefused("photo_unreadable")


def _convert_to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture (L, RGB or CMYK) as sRGB; a broken profile, or one for other channels, is ignored."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            if converted is not None:
                return converted
    return picture.convert("RGB")


def _rotate_upright(picture: Image.Image, exif: bytes | None) -> Image.Image:
    """The picture turned as its EXIF says; an unreadable EXIF block is ignored.

    A HEIC is turned by its own boxes while it is decoded and its EXIF is void (ISO/IEC 23008-12);
    pillow-heif sets the orientation in it to 1.
    """
    if not exif:
        return picture
    try:
        tags = Image.Exif()
        tags.load(exif)
        turn = _UPRIGHT.get(tags.get(ExifTags.Base.Orientation, 1))
    except Exception:
        # Broken EXIF is common in edited photos and fails in many ways; the picture itself is fine.
        return picture
    return picture if turn is None else picture.transpose(turn)
