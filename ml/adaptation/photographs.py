"""Photographs: the pictures of a folder that a bundle can be adapted to, and how many are left out and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ml.data.files import find_photographs
from ml.errors import AdaptationInvalid, PhotoUnreadable
from ml.preprocessing import open_photo

#: With fewer photographs the expected shares would be hung on a handful of scores.
MIN_PHOTOGRAPHS = 20


@dataclass(slots=True)
class Tally:
    """How many pictures there were, and why those that are not `used` were left out.

    `poor` were rejected for their quality (`ml.quality`), `rejected` by the gate.
    """

    found: int = 0
    unreadable: int = 0
    small: int = 0
    duplicates: int = 0
    poor: int = 0
    rejected: int = 0

    @property
    def used(self) -> int:
        """The number of pictures that the adaptation uses."""
        return self.found - self.unreadable - self.small - self.duplicates - self.poor - self.rejected

    def sentence(self) -> str:
        """What became of the pictures, in words."""
        left_out = {
            "unreadable": self.unreadable,
            "too small": self.small,
            "duplicates": self.duplicates,
            "too dark, bright or blurred": self.poor,
            "rejected by the gate": self.rejected,
        }
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
        return f"{self.used} of {self.found} photographs" + (f" (left out: {reasons})" if reasons else "")


def read_photographs(folder: Path, side: int, tally: Tally) -> Iterator[Image.Image]:
    """The photographs of a folder and those under it, RGB and upright, one at a time; `tally` counts what is left out.

    Left out are what no decoder reads, photographs whose shorter side has less than `side` pixels, and all but the
    first of those with the same pixels. Raises AdaptationInvalid where the folder holds no pictures, where none can be
    read, or where most are too small: then it is the wrong folder, or thumbnails.
    """
    seen: set[bytes] = set()
    if not folder.is_dir():
        raise AdaptationInvalid(f"{folder} is not a folder. Name a folder of photographs.")
    paths = find_photographs(folder)
    for path in paths:
        tally.found += 1
        try:
            photo = open_photo(path)
        except PhotoUnreadable:
            tally.unreadable += 1
            continue
        if min(photo.size) < side:
            tally.small += 1
            continue
        pixels = hashlib.sha256(repr(photo.size).encode() + photo.tobytes()).digest()
        if pixels in seen:
            tally.duplicates += 1
            continue
        seen.add(pixels)
        yield photo
    readable = tally.found - tally.unreadable
    if not readable:
        raise AdaptationInvalid(f"None of the {tally.found} pictures in {folder} can be read.")
    if 2 * tally.small > readable:
        raise AdaptationInvalid(
            f"{tally.small} of the {readable} photographs in {folder} are smaller than {side} pixels on their shorter "
            "side, which is what the models look at. Take them from the scope at their full size."
        )


def require_enough(folder: Path, tally: Tally) -> None:
    """Raise AdaptationInvalid where fewer than `MIN_PHOTOGRAPHS` photographs are left."""
    if tally.used < MIN_PHOTOGRAPHS:
        raise AdaptationInvalid(
            f"{folder} leaves {tally.sentence()}. At least {MIN_PHOTOGRAPHS} are needed; 50 or more are better."
        )
