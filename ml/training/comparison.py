"""Compare recipes on the same pictures: quality and time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ml.data.records import Record
from ml.labels import GRADES
from ml.metrics import accuracy, confusion_matrix, macro_f1, majority_baseline, quadratic_weighted_kappa
from ml.outputs import to_probabilities
from ml.training.pictures import grades_of
from ml.training.run import Run


@dataclass(frozen=True, slots=True)
class RecipeRow:
    """One recipe's row. The figures of merit are means over the symptoms on the test part.

    A symptom whose QWK is undefined, because all test pictures and answers have the same grade, has None and is left
    out of the mean. `epochs` were trained, `recipe_epochs` are those of the recipe. `seconds` is the time of training
    with validation, `images_a_second` the speed of the training steps alone.
    """

    recipe: str
    network: str
    started_from: str
    networks: int
    epochs: int
    recipe_epochs: int
    accuracy: float
    macro_f1: float
    qwk: float | None
    qwk_by_symptom: dict[str, float | None]
    seconds: float
    images_a_second: float
    memory_plan: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table and the conditions of the comparison."""

    rows: tuple[RecipeRow, ...]
    training_pictures: int
    test_pictures: int
    majority: float
    synthetic: bool
    device: str

    def write(self, folder: Path) -> None:
        """Write `comparison.md` and `comparison.json` into the folder."""
        (folder / "comparison.json").write_text(
            json.dumps(asdict(self), indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )
        (folder / "comparison.md").write_text(self.markdown(), encoding="utf-8")

    def markdown(self) -> str:
        """The comparison as a table with one row per recipe."""
        lines = [
            f"{'Synthetic pictures: ' if self.synthetic else ''}{self.training_pictures} to train on, "
            f"{self.test_pictures} of other persons to test on; device: {self.device}. The accuracy of always "
            f"answering the most frequent grade is {self.majority:.3f}.",
            "",
            "| recipe | network | started from | epochs | accuracy | macro-F1 | QWK | minutes | images per second |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            epochs = f"{row.epochs}" if row.epochs == row.recipe_epochs else f"{row.epochs} of {row.recipe_epochs}"
            lines.append(
                f"| `{row.recipe}` | {row.networks} × {row.network} | {row.started_from} | {epochs} | "
                f"{row.accuracy:.3f} | {row.macro_f1:.3f} | {_format(row.qwk)} | {row.seconds / 60:.1f} | "
                f"{row.images_a_second:.1f} |"
            )
        return "\n".join(lines) + "\n"


def compare(
    runs: Mapping[str, Sequence[Run]], recipe_epochs: Mapping[str, int], test: Sequence[Record], device: str = "cpu"
) -> Comparison:
    """Measure runs, by the name of their recipe, on the test pictures. All must have trained on the same pictures."""
    first = next(iter(runs.values()))[0]
    majority = majority_baseline(
        np.stack([confusion_matrix(truth, truth, len(GRADES)) for truth in grades_of(test, first.symptoms).T])
    )
    return Comparison(
        rows=tuple(_row(name, group, recipe_epochs[name], test, device) for name, group in runs.items()),
        training_pictures=first.facts.pictures["training"],
        test_pictures=len(test),
        majority=float(majority.mean()),
        synthetic=first.facts.synthetic,
        device=first.facts.device,
    )


def _row(name: str, runs: Sequence[Run], recipe_epochs: int, test: Sequence[Record], device: str) -> RecipeRow:
    confusions: dict[str, np.ndarray] = {}
    for run in runs:
        probabilities = to_probabilities(torch.from_numpy(run.outputs(test, device)), run.output).numpy()
        truth = grades_of(test, run.symptoms)
        for column, symptom in enumerate(run.symptoms):
            confusions[symptom] = confusion_matrix(
                truth[:, column], probabilities[:, column].argmax(axis=1), len(GRADES)
            )
    stacked = np.stack(list(confusions.values()))
    qwk = {
        symptom: None if np.isnan(value) else float(value)
        for symptom, value in zip(confusions, quadratic_weighted_kappa(stacked), strict=True)
    }
    defined = [value for value in qwk.values() if value is not None]
    facts, recipe = runs[0].facts, runs[0].recipe
    return RecipeRow(
        recipe=name,
        network=f"{recipe.architecture} at {recipe.image_size}"
        + (f", grows into {recipe.grows_into}" if recipe.grows_into else ""),
        started_from=facts.started_from,
        networks=len(runs),
        epochs=len(facts.history),
        recipe_epochs=recipe_epochs,
        accuracy=float(accuracy(stacked).mean()),
        macro_f1=float(macro_f1(stacked).mean()),
        qwk=float(np.mean(defined)) if defined else None,
        qwk_by_symptom=qwk,
        seconds=sum(run.facts.seconds for run in runs),
        images_a_second=float(np.mean([run.facts.images_a_second for run in runs])),
        memory_plan=facts.memory_plan,
    )


def _format(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"
