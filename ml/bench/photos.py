"""The photos of a benchmark: synthetic scalps as the bytes of JPEG files."""

from __future__ import annotations

import io

from ml.data.synthetic import scalp_picture

#: That of scalp scopes.
JPEG_QUALITY = 90


def synthetic_photos(count: int) -> list[bytes]:
    """This many different JPEG files of 640×480 pixels; the same count gives the same bytes."""
    return [_jpeg(seed) for seed in range(count)]


def _jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    scalp_picture(seed).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
