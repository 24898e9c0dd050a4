"""Plots of an evaluation as PNG: confusion matrices, reliability with and without temperature, risk and coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ml.evaluation.results import Evaluation, SymptomEvaluation
from ml.labels import GRADES, SYMPTOM_NAMES
from ml.metrics import Reliability

SYNTHETIC_NOTE = "synthetic pictures"

_INK, _FAINT, _BEFORE, _AFTER = "#333333", "#c8ccd0", "#a9a29a", "#33658a"
_LINE_COLORS = ("#33658a", "#86a873", "#c97b63", "#7d5a8c", "#d1a24a", "#4f9d9d")
_DOTS_PER_INCH = 100
_COLUMNS = 3


def write_figures(evaluation: Evaluation, folder: Path) -> Mapping[str, Path]:
    """Draw all plots into `folder`, which is created if necessary, and return the files by the name of the plot."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, draw in _PLOTS.items():
        files[name] = folder / f"{name.lower().replace(' ', '-')}.png"
        figure = draw(evaluation)
        FigureCanvasAgg(figure).print_png(files[name])
    return files


def draw_confusions(evaluation: Evaluation) -> Figure:
    """One confusion matrix per symptom: counts, shaded by their share of the row."""

    def draw(axes: Axes, symptom: SymptomEvaluation) -> None:
        rows = symptom.confusion.sum(axis=1, keepdims=True)
        shares = np.divide(symptom.confusion, rows, out=np.zeros(symptom.confusion.shape), where=rows > 0)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.4)
        for truth, row in enumerate(symptom.confusion):
            for answer, count in enumerate(row):
                axes.text(answer, truth, str(count), ha="center", va="center", fontsize=8, color=_INK)
        axes.set_xticks(range(len(GRADES)), [grade.english for grade in GRADES])
        axes.set_yticks(range(len(GRADES)), [grade.english for grade in GRADES])
        axes.set_xlabel("answer")
        axes.set_ylabel("label")
        axes.set_title(
            f"{SYMPTOM_NAMES[symptom.key]}\nQWK {symptom.qwk.value:.2f}, accuracy {symptom.accuracy.value:.2f}"
        )

    return _grid(evaluation, "Confusion matrices", draw)


def draw_reliability(evaluation: Evaluation) -> Figure:
    """Accuracy over confidence in bins, without and with the temperature; areas are proportional to counts."""

    def points(axes: Axes, table: Reliability, color: str, label: str) -> None:
        filled = table.counts > 0
        sizes = 6 + 150 * table.counts[filled] / table.counts.sum()
        axes.plot(table.confidence[filled], table.accuracy[filled], color=color, linewidth=1)
        axes.scatter(table.confidence[filled], table.accuracy[filled], sizes, color=color, alpha=0.75, label=label)

    def draw(axes: Axes, symptom: SymptomEvaluation) -> None:
        axes.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, linestyle="--")
        points(axes, symptom.reliability_before, _BEFORE, f"raw, ECE {symptom.ece_before:.3f}")
        points(axes, symptom.reliability, _AFTER, f"T = {symptom.temperature:.2f}, ECE {symptom.ece:.3f}")
        if symptom.abstention.threshold > 0:
            axes.axvline(symptom.abstention.threshold, color=_FAINT, linewidth=1)
        axes.set_xlim(0.2, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("confidence")
        axes.set_ylabel("accuracy")
        axes.set_title(SYMPTOM_NAMES[symptom.key])
        legend = axes.legend(fontsize=7, frameon=False, loc="upper left")
        for handle in legend.legend_handles:
            handle.set_sizes([20])  # type: ignore[union-attr]

    return _grid(evaluation, "Reliability", draw)


def draw_risk_coverage(evaluation: Evaluation) -> Figure:
    """Risk over coverage, with a ring at the threshold."""
    figure = Figure(figsize=(7.5, 4.8), dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    for symptom, color in zip(evaluation.symptoms, _LINE_COLORS, strict=False):
        curve, at = symptom.risk_coverage, symptom.abstention
        label = f"{SYMPTOM_NAMES[symptom.key]} (AURC {symptom.aurc:.3f})"
        axes.plot(curve.coverage, curve.risk, color=color, linewidth=1.4, label=label)
        axes.plot([at.coverage], [1 - at.accuracy], "o", color=color, markerfacecolor="white", markersize=6)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1)
    axes.set_xlabel("coverage: share of findings above the threshold")
    axes.set_ylabel("risk: share of wrong ones among them")
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    _style(axes)
    _set_title(figure, evaluation, "Risk and coverage")
    return figure


def _grid(evaluation: Evaluation, title: str, draw: Callable[[Axes, SymptomEvaluation], None]) -> Figure:
    columns = min(_COLUMNS, len(evaluation.symptoms))
    rows = -(-len(evaluation.symptoms) // columns)
    figure = Figure(figsize=(3.4 * columns, 3.2 * rows + 0.4), dpi=_DOTS_PER_INCH, layout="constrained")
    for place, symptom in enumerate(evaluation.symptoms, start=1):
        axes = figure.add_subplot(rows, columns, place)
        draw(axes, symptom)
        _style(axes)
    _set_title(figure, evaluation, title)
    return figure


def _style(axes: Axes) -> None:
    axes.tick_params(labelsize=7, colors=_INK, length=2)
    axes.title.set(fontsize=9, color=_INK)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(fontsize=8, color=_INK)
    for spine in axes.spines.values():
        spine.set(color=_FAINT)


def _set_title(figure: Figure, evaluation: Evaluation, title: str) -> None:
    pictures = SYNTHETIC_NOTE if evaluation.sample.synthetic else "pictures"
    figure.suptitle(f"{title} of {evaluation.subject} on {evaluation.pictures} {pictures}", fontsize=10, color=_INK)


_PLOTS: Mapping[str, Callable[[Evaluation], Figure]] = {
    "Confusion matrices": draw_confusions,
    "Reliability": draw_reliability,
    "Risk and coverage": draw_risk_coverage,
}
