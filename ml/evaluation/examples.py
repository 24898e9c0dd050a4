"""A sheet of example pictures with a predictor's answers and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ml.labels import SYMPTOMS
from ml.predictor import Prediction

_COLUMNS = 3


def draw_examples(
    pictures: Sequence[Image.Image],
    grades: Sequence[Sequence[int]],
    predictions: Sequence[Prediction],
    title: str,
    path: Path,
) -> None:
    """Write a sheet of pictures as JPEG: below each, the answered and the labeled grade of each symptom."""
    rows = -(-len(pictures) // _COLUMNS)
    figure = Figure(figsize=(4.2 * _COLUMNS, 4.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for place in axes:
        place.axis("off")
    for place, picture, labels, prediction in zip(axes, pictures, grades, predictions, strict=False):
        _draw_example(place, picture, labels, prediction)
    figure.savefig(path, dpi=80, bbox_inches="tight", pil_kwargs={"quality": 82})


def _draw_example(axes: Axes, picture: Image.Image, labels: Sequence[int], prediction: Prediction) -> None:
    axes.imshow(picture)
    if not prediction.is_scalp:
        axes.set_title(f"rejected: {prediction.rejection}", fontsize=10)
        return
    lines = []
    for symptom, found, label in zip(SYMPTOMS, prediction.findings, labels, strict=True):
        withheld = f", {found.abstention}" if found.abstention else ""
        lines.append(f"{symptom.english}: {found.grade} ({found.confidence:.0%}{withheld}), drawn {label}")
    axes.text(0, -0.03, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=9)
