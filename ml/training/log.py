"""The log of a training: a CSV, TensorBoard events and a plot of the curves.

Each is rewritten from the whole history, so a resumed training leaves the same log as an uninterrupted one.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

CSV_FILE, CURVES_FILE, EVENTS_FOLDER = "log.csv", "curves.png", "tensorboard"

HistoryRow = dict[str, float]


def write_log(folder: Path, history: Sequence[HistoryRow], title: str) -> None:
    """`history` has one row per epoch: epoch, learning_rate, training_loss, seconds, macro_f1, qwk and accuracy."""
    with (folder / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    _write_events(folder / EVENTS_FOLDER, history)
    _draw_curves(history, title).savefig(folder / CURVES_FILE, dpi=110)


def _write_events(folder: Path, history: Sequence[HistoryRow]) -> None:
    for earlier in folder.glob("events.*"):
        earlier.unlink()
    with SummaryWriter(str(folder)) as writer:
        for row in history:
            for name, value in row.items():
                if name != "epoch":
                    writer.add_scalar(name, value, int(row["epoch"]))


def _draw_curves(history: Sequence[HistoryRow], title: str) -> Figure:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    epochs = [row["epoch"] for row in history]
    for axes, names in zip(figure.subplots(1, 2), (("training_loss",), ("qwk", "macro_f1", "accuracy")), strict=True):
        for name in names:
            axes.plot(epochs, [row[name] for row in history], marker="o", markersize=3, label=name.replace("_", " "))
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
    return figure
