"""Real photos for schemathesis, which would send random bytes otherwise and never see one accepted."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

from tests.hostile import formats

for media_type, kinds in {
    "image/jpeg": ("JPEG", "progressive JPEG", "MPO"),
    "image/heic": ("HEIC",),
    "image/png": ("PNG",),
    "image/webp": ("WebP", "lossless WebP"),
    "image/bmp": ("BMP",),
}.items():
    schemathesis.openapi.media_type(media_type, st.sampled_from([formats.ACCEPTED[kind]() for kind in kinds]))
