"""Draws the dashboard from its own JSON and what a real Prometheus answers to its queries, in the dashboard's grid.

Grafana draws finer; this shows what there is to see, and that each query has something to show.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, MinuteLocator
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from tests.monitoring.dashboard import Panel, panels
from tests.monitoring.prometheus import Prometheus

COLUMNS = 24
#: Of a column and of a line of Grafana's grid, in inches.
WIDE, HIGH = 0.62, 0.34
DOTS_PER_INCH = 80
#: Shades in the file: enough for lines and letters, few enough for a small picture.
SHADES = 96
PAPER, CARD, INK, FAINT = "#f4f5f5", "#ffffff", "#24292e", "#8e949a"
#: Grafana's classic palette.
COLORS = ("#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300")
STAT_COLORS = {"green": "#3c8d40", "orange": "#d9822b", "red": "#c4262e", "text": INK}

Series = tuple[str, list[float], list[float]]  #: name, seconds of the epoch, values


def draw(prometheus: Prometheus, start: float, end: float, window: str, file: Path) -> None:
    """Write the dashboard of the time from `start` to `end`, seconds of the epoch, as a PNG."""
    board = panels()
    lines = max(panel.place["y"] + panel.place["h"] for panel in board)
    step = max(1.0, (end - start) / 240)
    with mpl.rc_context({"font.size": 8, "axes.edgecolor": FAINT, "xtick.color": FAINT, "ytick.color": FAINT}):
        figure = Figure(figsize=(COLUMNS * WIDE, lines * HIGH), dpi=DOTS_PER_INCH, facecolor=PAPER)
        for panel in board:
            left, width = panel.place["x"] / COLUMNS, panel.place["w"] / COLUMNS
            bottom = 1 - (panel.place["y"] + panel.place["h"]) / lines
            height = panel.place["h"] / lines
            if panel.kind == "row":
                figure.text(left + 0.006, bottom + height / 2, panel.title, size=11, weight="bold", va="center")
                continue
            _card(figure, left, bottom, width, height)
            figure.text(left + 0.010, bottom + height - 0.55 / lines, panel.title, size=9, va="center", color=INK)
            series = _asked(prometheus, panel, start, end, step, window)
            if panel.kind == "stat":
                _stat(figure, panel, series, left + width / 2, bottom + 0.45 * height)
            else:
                inside = (left + 0.040, bottom + 1.75 / lines, width - 0.052, height - 2.95 / lines)
                _curves(figure.add_axes(inside), panel, series, start, end)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=PAPER)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.open(drawn).convert("RGB").quantize(SHADES).save(file, "PNG", optimize=True)


def _asked(prometheus: Prometheus, panel: Panel, start: float, end: float, step: float, window: str) -> list[Series]:
    found = []
    for query in panel.queries:
        for series in prometheus.query_range(query.over(window), start, end, step):
            moments, values = zip(*((float(at), float(value)) for at, value in series["values"]), strict=True)
            found.append((query.name(series["metric"]) or panel.title, list(moments), list(values)))
    return sorted(found)


def _card(figure: Figure, left: float, bottom: float, width: float, height: float) -> None:
    gap = 0.0022
    card = FancyBboxPatch(
        (left + gap, bottom + gap), width - 2 * gap, height - 2 * gap, boxstyle="square,pad=0",
        transform=figure.transFigure, facecolor=CARD, edgecolor="#dfe1e3", linewidth=0.8, zorder=-1,
    )  # fmt: skip
    figure.add_artist(card)


def _stat(figure: Figure, panel: Panel, series: Sequence[Series], x: float, y: float) -> None:
    known = [value for _name, _moments, values in series for value in values if not math.isnan(value)]
    last = known[-1] if known else math.nan
    reached = [step for step in panel.defaults["thresholds"]["steps"] if step["value"] is None or last >= step["value"]]
    figure.text(x, y, _said(panel, last), size=24, ha="center", va="center", color=STAT_COLORS[reached[-1]["color"]])


def _said(panel: Panel, value: float) -> str:
    if math.isnan(value):
        return "no data"
    for mapping in panel.defaults.get("mappings", ()):
        if text := mapping["options"].get(f"{value:g}"):
            return str(text["text"])
    digits = panel.defaults.get("decimals", 0)
    return f"{value:.{digits}f}{' s' if panel.unit == 's' else ''}"


def _curves(axes: Axes, panel: Panel, series: Sequence[Series], start: float, end: float) -> None:
    axes.set_facecolor(CARD)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#eceeef", linewidth=0.8)
    axes.tick_params(length=0, labelsize=7)
    how = {"step": "post"} if panel.stepped else {}
    below: dict[float, float] = {}
    shown = [one for one in series if any(value > 0 for value in one[2])] or list(series[:1])
    for number, (name, moments, values) in enumerate(shown):
        color = COLORS[number % len(COLORS)]
        times = [datetime.fromtimestamp(moment, UTC) for moment in moments]
        known = [0.0 if panel.stacked and math.isnan(value) else value for value in values]
        floor = [below.get(moment, 0.0) for moment in moments] if panel.stacked else [0.0] * len(moments)
        top = [a + b for a, b in zip(floor, known, strict=True)]
        below |= dict(zip(moments, top, strict=True))
        axes.plot(times, top, color=color, linewidth=1.1, label=name, drawstyle=_drawstyle(panel))
        axes.fill_between(times, floor, top, color=color, alpha=0.25 if panel.stacked else 0.07, linewidth=0, **how)
    axes.set_xlim(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    axes.set_ylim(bottom=0, top=None if any(value > 0 for one in shown for value in one[2]) else 1)
    axes.xaxis.set_major_locator(MinuteLocator(interval=max(1, round((end - start) / 300))))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))
    axes.yaxis.set_major_formatter(lambda value, _place: _tick(panel.unit, value))
    axes.locator_params(axis="y", nbins=4)
    columns = 4 if panel.place["w"] > 6 else 3
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.06, -0.10), ncols=columns, fontsize=6.5, frameon=False,
        handlelength=0.9, columnspacing=0.9, handletextpad=0.35, labelcolor=INK, borderaxespad=0.2, labelspacing=0.25,
    )  # fmt: skip


def _drawstyle(panel: Panel) -> Any:
    return "steps-post" if panel.stepped else "default"


def _tick(unit: str, value: float) -> str:
    if unit == "s":
        return f"{value * 1000:.3g} ms" if 0 < value < 1 else f"{value:g} s"
    if unit == "bytes":
        return f"{value / 2**20:.0f} MiB"
    if unit == "percentunit":
        return f"{100 * value:.0f} %"
    return f"{value:g}{' /s' if unit == 'reqps' else ' /min' if unit == 'opm' else ''}"
