"""How much memory decoding a photo takes, how many are decoded at once, and shrinking without a second full-size copy.

A web pod has 1.5 GiB for two processes (`deploy/kubernetes/base/web.yaml`). One photo at a time may take up to
`LARGE_BYTES` in all processes together; small ones share `SMALL_BYTES` in each process and never wait for a large one.
`python -m tests.decode_memory` measures what decoding takes.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from PIL import Image

from backend.analyses.errors import QueueFull

SMALL_BYTES: Final = 112_000_000
"""For the photos of one process that need at most half of it each."""
LARGE_BYTES: Final = 400_000_000
"""For one photo that needs more. One that needs more than this is refused."""
DECODE_WAIT_SECONDS = 10.0

#: Rows that are converted at once.
_STRIP_ROWS = 256
#: A photo is first reduced by a whole factor to at least this multiple of its final size.
REDUCING_GAP: Final = 1.5

#: Bytes per pixel of decoders that cannot shrink, measured. WebP's keeps three canvases, and Pillow copies twice.
_BYTES_PER_PIXEL: Final = {"WEBP": 21, "HEIF": 12}
#: HEIC of 4:2:0 without transparency, which is what phones write.
_HEIC_PHONE_BYTES_PER_PIXEL: Final = 7.3
#: Bytes per pixel of Pillow's own pictures; all others take four.
_MODE_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2}


def reduction(size: tuple[int, int], final_side: int) -> int:
    """The whole factor by which a picture is reduced before it is resampled to `final_side`."""
    return max(1, int(max(size) / (final_side * REDUCING_GAP)))


def bytes_needed(image: Image.Image, final_side: int, *, buffered: bool) -> int:
    """The most memory that decoding and shrinking takes, from the header. `buffered` is for JPEG: whether libjpeg has
    to keep the coefficients of the whole picture, as it does for several scans.
    """
    pixels = image.width * image.height
    factor = reduction(image.size, final_side)
    per_pixel = float(_MODE_BYTES.get(image.mode, 4))
    if image.format in {"JPEG", "MPO"}:
        scale = max(scale for scale in (1, 2, 4, 8) if scale <= factor)
        coefficients = 2 * len(image.getbands()) if buffered else 0
        return round(pixels * (per_pixel / scale**2 + coefficients))
    elif image.format == "HEIF" and image.mode == "RGB" and image.info.get("chroma") == 420:
        per_pixel = _HEIC_PHONE_BYTES_PER_PIXEL
    elif image.format is not None:
        per_pixel = _BYTES_PER_PIXEL.get(image.format, per_pixel)
    return round(pixels * (per_pixel + 4 / factor**2))


def shrink(image: Image.Image, factor: int) -> Image.Image:
    """The picture reduced by a factor as 8-bit L or RGB: palettes looked up, transparent parts white as a browser shows
    them. Works strip by strip, as a flattened copy of the whole picture would take as much memory as the picture.
    """
    image.load()
    if _is_flat(image):
        return image.reduce(factor) if factor > 1 else image
    width, height = -(-image.width // factor), -(-image.height // factor)
    shrunk: Image.Image | None = None
    rows = _STRIP_ROWS - _STRIP_ROWS % factor or factor
    for top in range(0, image.height, rows):
        strip = _flatten(image.crop((0, top, image.width, min(top + rows, image.height))))
        if factor > 1:
            strip = strip.reduce(factor)
        if shrunk is None:
            shrunk = Image.new(strip.mode, (width, height))
        shrunk.paste(strip, (0, top // factor))
    assert shrunk is not None  # a picture has at least one row
    return shrunk


def _is_flat(image: Image.Image) -> bool:
    return image.mode in {"L", "RGB", "CMYK"} and not image.has_transparency_data


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow's own conversion of 16-bit gray clips everything above 255 to white.
        return image.point(lambda gray: gray * (1 / 256)).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    flat = Image.new("RGB", rgba.size, "white")
    flat.paste(rgba, mask=rgba.getchannel("A"))
    return flat


_changed = threading.Condition()
_small_bytes_used = 0


@contextmanager
def reserve_memory(size: int) -> Iterator[None]:
    """Waits until `size` bytes, at most `LARGE_BYTES`, may be used. Raises QueueFull after `DECODE_WAIT_SECONDS`."""
    with _reserve_small(size) if size <= SMALL_BYTES / 2 else _reserve_large():
        yield


@contextmanager
def _reserve_small(size: int) -> Iterator[None]:
    global _small_bytes_used
    with _changed:
        if not _changed.wait_for(lambda: _small_bytes_used + size <= SMALL_BYTES, DECODE_WAIT_SECONDS):
            raise QueueFull(retry_after=max(1, round(DECODE_WAIT_SECONDS)))
        _small_bytes_used += size
    try:
        yield
    finally:
        with _changed:
            _small_bytes_used -= size
            _changed.notify_all()


@contextmanager
def _reserve_large() -> Iterator[None]:
    """A lock on a file, which the kernel releases even if the process is killed."""
    folder = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or settings.VAR)
    deadline = time.monotonic() + DECODE_WAIT_SECONDS
    with (folder / "large-photo.lock").open("wb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise QueueFull(retry_after=max(1, round(DECODE_WAIT_SECONDS))) from None
                time.sleep(0.05)
        yield
