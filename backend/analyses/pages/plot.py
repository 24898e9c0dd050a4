"""Plots as SVG, drawn on the server: strips for shares, columns for counts, two lines for durations.

Everything is named by a class and colored by the style sheet, so the page needs no style of its own and follows the
admin's theme. A plot never stands alone: `title` says what it shows, and the page has its numbers in a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 440, 170
LEFT, RIGHT, TOP, BOTTOM = 38, 6, 10, 22  #: room for the numbers beside and below
X_EVERY = 6  #: columns between two of which the name is written


def strip(parts: Iterable[tuple[str, float]], whole: float) -> SafeString:
    """A line whose length stands for `whole`, filled with the `(class, value)` parts. Its row has the numbers."""
    drawn, at = [], 0.0
    for kind, value in parts:
        if value:
            drawn.append((kind, f"{100 * at / whole:.2f}", f"{100 * value / whole:.2f}"))
            at += value
    return format_html(
        '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rail" width="100" height="10"/>{}</svg>',
        format_html_join("", '<rect class="{}" x="{}" width="{}" height="10"/>', drawn),
    )


def columns(title: str, names: Sequence[str], stacks: Sequence[Mapping[str, int]]) -> SafeString:
    """A column for each name; each stack is by class, the first at the bottom."""
    top = _ceiling(max((sum(stack.values()) for stack in stacks), default=0), whole=True)
    step = (WIDTH - LEFT - RIGHT) / len(names)
    drawn = []
    for number, stack in enumerate(stacks):
        under = 0
        for kind, value in stack.items():
            if value:
                y = _y(under + value, top)
                height = _y(under, top) - y
                drawn.append(
                    (kind, f"{LEFT + step * (number + 0.12):.1f}", f"{y:.1f}", f"{step * 0.76:.1f}", f"{height:.1f}")
                )
                under += value
    bars = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', drawn)
    return _draw_frame(title, names, step, top, bars)


def lines(title: str, names: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> SafeString:
    """A line of each class over the names, interrupted where there is no value; a lone value is a dot."""
    top = _ceiling(max((value for values in series.values() for value in values if value is not None), default=0))
    step = (WIDTH - LEFT - RIGHT) / len(names)
    drawn = []
    for kind, values in series.items():
        pen_is_down, way = False, []
        for number, value in enumerate(values):
            if value is not None:
                way.append(f"{'L' if pen_is_down else 'M'}{LEFT + step * (number + 0.5):.1f} {_y(value, top):.1f}")
                # A way of no length is drawn as a dot, by its round ends.
                way.append("" if pen_is_down else "h0")
            pen_is_down = value is not None
        drawn.append((kind, "".join(way)))
    return _draw_frame(title, names, step, top, format_html_join("", '<path class="{}" d="{}"/>', drawn))


def _draw_frame(title: str, names: Sequence[str], step: float, top: float, inner: SafeString) -> SafeString:
    """What is drawn, over a grid of three lines with their numbers and names below."""
    levels = [(f"{_y(value, top):.1f}", f"{_y(value, top) + 4:.1f}", f"{value:g}") for value in (0, top / 2, top)]
    grid = format_html_join(
        "", '<path class="grid" d="M{} {}H{}"/><text class="y" x="{}" y="{}">{}</text>',
        ((LEFT, y, WIDTH - RIGHT, LEFT - 6, text_y, number) for y, text_y, number in levels),
    )  # fmt: skip
    below = format_html_join(
        "", '<text class="x" x="{}" y="{}">{}</text>',
        ((f"{LEFT + step * (n + 0.5):.1f}", HEIGHT - 5, name) for n, name in enumerate(names) if n % X_EVERY == 0),
    )  # fmt: skip
    return format_html(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>',
        WIDTH, HEIGHT, title, grid, below, inner,
    )  # fmt: skip


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _ceiling(value: float, whole: bool = False) -> float:
    """The next of 1, 2, 4, 6, 10 × 10ⁿ: an upper end of a scale, of which half is a plain number as well."""
    if value <= 0:
        return 2.0
    ten = 10.0 ** math.floor(math.log10(value))
    found = next(step * ten for step in (1, 2, 4, 6, 10) if value <= step * ten)
    return max(found, 2.0) if whole else found
