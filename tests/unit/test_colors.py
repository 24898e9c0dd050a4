"""The tokens in numbers: text that can be read, edges that can be seen, grades that keep their order in gray."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.support.environment import ROOT

TOKENS = (ROOT / "frontend" / "static" / "css" / "tokens.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", theme)) for theme in TOKENS.split("@media (prefers-color-scheme")
)
themes = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

#: What linear sRGB is to people who see no red or no green (Viénot, Brettel, Mollon 1999, as matrices on it).
SIGHTS = {
    "all colors": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "no green": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
}


def linear(color: str) -> list[float]:
    """Linear red, green and blue, 0 to 1 (IEC 61966-2-1)."""
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]


def luminance(color: str, sight: str = "all colors") -> float:
    rgb = linear(color)
    seen = [sum(weight * part for weight, part in zip(row, rgb, strict=True)) for row in SIGHTS[sight]]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), seen, strict=True))


def contrast(one: str, other: str, sight: str = "all colors") -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    darker, lighter = sorted((luminance(one, sight), luminance(other, sight)))
    return (lighter + 0.05) / (darker + 0.05)


@themes
@pytest.mark.parametrize("ground", ["paper", "sheet", "wash", "caution"])
@pytest.mark.parametrize("text", ["ink", "soft", "accent", "warn"])
def test_text_can_be_read_on_every_ground(theme: dict[str, str], text: str, ground: str) -> None:
    assert contrast(theme[text], theme[ground]) >= 4.5


@themes
def test_words_on_a_full_button_can_be_read(theme: dict[str, str]) -> None:
    assert contrast(theme["on-accent"], theme["accent"]) >= 4.5
    assert contrast(theme["paper"], theme["warn"]) >= 4.5


@themes
@pytest.mark.parametrize("ground", ["paper", "sheet"])
def test_the_edge_of_what_can_be_operated_can_be_seen(theme: dict[str, str], ground: str) -> None:
    assert contrast(theme["edge"], theme[ground]) >= 3


@themes
@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("ground", ["paper", "sheet"])
def test_each_grade_stands_out_more_than_the_one_before_for_every_eye(
    theme: dict[str, str], ground: str, sight: str
) -> None:
    steps = [contrast(theme[f"g{grade}"], theme[ground], sight) for grade in range(4)]
    assert all(later >= 1.25 * earlier for earlier, later in pairwise(steps)), steps
