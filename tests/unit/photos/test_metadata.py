"""Nothing about the owner is left in a cleaned photo."""

from __future__ import annotations

import pytest

from backend.analyses.photos import (
    photo_clean,
)
from tests.support.photo_metadata import MARK, photo_telling_all
from tests.unit.photos.pixels import opened


@pytest.mark.parametrize("profile", [True, False], ids=["with a profile", "without one"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_no_metadata_survives(kind: str, profile: bool) -> None:
    data = photo_telling_all(kind, profile=profile)
    assert MARK.encode() in data
    clean = photo_clean(data)
    for hidden in (
        MARK.encode(),
        MARK.encode("utf-16-be"),
        b"Exif",
        b"xmp",
        b"GPS",
        b"ICC_PROFILE",
    ):
        assert hidden not in clean.jpeg
    assert set(opened(clean).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
