"""Plots as SVG: what is drawn is what is counted."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from backend.analyses.pages import plot

NAMES = [f"{hour:02}" for hour in range(24)]


def drawn(svg: str, tag: str, kind: str) -> list[ElementTree.Element]:
    """The elements of this tag and class, from well-formed XML."""
    return [one for one in ElementTree.fromstring(svg).iter(tag) if one.get("class") == kind]


def test_a_strip_is_as_long_as_its_parts_are_of_the_whole() -> None:
    svg = plot.strip([("a", 1), ("b", 0), ("c", 2)], 4)
    (first,), (last,) = drawn(svg, "rect", "a"), drawn(svg, "rect", "c")
    assert (first.get("x"), first.get("width")) == ("0.00", "25.00")
    assert (last.get("x"), last.get("width")) == ("25.00", "50.00")
    assert not drawn(svg, "rect", "b")


def test_columns_are_stacked_and_the_tallest_fits_the_scale() -> None:
    stacks = [{"a": 3, "b": 2}] + [{"a": 0, "b": 0}] * 23
    svg = plot.columns("Photos", NAMES, stacks)
    (low,), (high,) = drawn(svg, "rect", "a"), drawn(svg, "rect", "b")
    assert float(high.get("y", 0)) + float(high.get("height", 0)) == pytest.approx(float(low.get("y", 0)), abs=0.2)
    assert float(low.get("height", 0)) / float(high.get("height", 0)) == pytest.approx(1.5, abs=0.02)
    assert float(high.get("y", 0)) >= plot.TOP
    assert [one.text for one in drawn(svg, "text", "y")] == ["0", "3", "6"]


def test_a_line_has_gaps_for_missing_values_and_a_dot_for_a_single_one() -> None:
    svg = plot.lines("Seconds", NAMES, {"half": [1.0, 2.0, None, 4.0] + [None] * 20})
    (path,) = drawn(svg, "path", "half")
    assert re.fullmatch(r"M\S+ \S+h0L\S+ \S+M\S+ \S+h0", path.get("d", ""))


@pytest.mark.parametrize(
    ("value", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 6), (7, 10), (11, 20), (99_999, 100_000)]
)
def test_a_scale_of_counts_ends_at_a_number_whose_half_is_a_count(value: int, top: int) -> None:
    svg = plot.columns("Photos", NAMES, [{"a": value}] * 24)
    assert float(drawn(svg, "text", "y")[-1].text or 0) == top


def test_nothing_at_all_is_drawn_as_an_empty_grid() -> None:
    assert not drawn(plot.columns("Photos", NAMES, [{}] * 24), "rect", "a")
    assert drawn(plot.lines("Seconds", NAMES, {"half": [None] * 24}), "path", "half")[0].get("d") == ""


def test_a_title_is_text() -> None:
    svg = ElementTree.fromstring(plot.columns('"><script>', NAMES, [{}] * 24))
    assert svg.get("aria-label") == '"><script>'
