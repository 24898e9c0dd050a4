"""Three drawn scalps, of no real person, for visitors who have no photo at hand.

The files are in frontend/static/samples; `python -m tests.samples` redraws them from the seeds and grades below.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class SamplePhoto:
    """A drawing, by the seed and the six grades that it was drawn from."""

    key: str
    seed: int
    grades: tuple[int, int, int, int, int, int]
    words: str | Promise

    @property
    def path(self) -> str:
        """Its place among the static files."""
        return f"samples/{self.key}.jpg"


SAMPLE_PHOTOS = (
    SamplePhoto("calm", 11, (0, 0, 0, 0, 0, 0), _("hardly any signs")),
    SamplePhoto("red", 23, (0, 2, 3, 0, 0, 0), _("redness and shine")),
    SamplePhoto("flaky", 47, (2, 0, 0, 0, 3, 0), _("white flakes")),
)


def sample_photo(key: str | None) -> bytes | None:
    """The JPEG of the drawing with this key; None for any other key."""
    path = next((sample.path for sample in SAMPLE_PHOTOS if sample.key == key), None)
    found = path and finders.find(path)
    return Path(str(found)).read_bytes() if found else None
