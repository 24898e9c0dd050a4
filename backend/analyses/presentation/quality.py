"""How good a photo was to look at, in words and on small gauges.

Photos below the limits of `ml.quality` were rejected; the limits here mark where nothing needs to be better.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from backend.analyses.results import PhotoQuality

GAUGE_LENGTH = 200  #: length of a gauge in its own units


@dataclass(frozen=True)
class Meter:
    """One measure: its name, what it means in a word, its place on the gauge, and the stretch that is good."""

    name: str
    word: str
    good: bool
    at: int
    good_from: int
    good_to: int


def quality_meters(quality: PhotoQuality) -> list[Meter]:
    """Light, contrast and focus of a photo."""
    light = (gettext("a bit dark"), gettext("bright enough"), gettext("a bit bright"))
    contrast = (gettext("a bit flat"), gettext("clear enough"), "")
    focus = (gettext("a bit soft"), gettext("in focus"), "")
    return [
        _meter(gettext("Light"), light, quality.brightness, good=(0.3, 0.85), end=1.0),
        _meter(gettext("Contrast"), contrast, quality.contrast, good=(0.07, 0.3), end=0.3),
        _meter(gettext("Focus"), focus, quality.sharpness, good=(0.55, 1.6), end=1.6),
    ]


def _meter(name: str, words: tuple[str, str, str], measured: float, *, good: tuple[float, float], end: float) -> Meter:
    """`words` for less than what is good, for that, and for more; what lies past the end of the line is at its end."""
    value = min(measured, end)
    side = -1 if value < good[0] else int(value > good[1])
    at, good_from, good_to = (round(GAUGE_LENGTH * place / end) for place in (value, *good))
    return Meter(name, words[side + 1], side == 0, at, good_from, good_to)
