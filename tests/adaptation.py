"""How much `bundle adapt` helps: on a synthetic scope whose grades are known, and on a folder of real photographs.

    python -m tests.adaptation --work var/adaptation [--bundle ml/bundles/demo] [--real FOLDER]

draws 50 photographs of a scope that no bundle was trained on (warmer, closer, blurred, sharpened by its software,
veiled) in a population with more severe signs than AI Hub's, adapts the bundle to them, and measures the quadratic
weighted kappa on 150 others. Of real photographs it takes 50 and states the level of the others, which are not
graded. What networks say is kept in the work folder, so a second call is quicker. Not a test: it takes some ten minutes
on two cores.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from ml.adaptation.adapt import AdaptationOptions, adapt_bundle
from ml.adaptation.observation import Observation, observe
from ml.adaptation.photographs import Tally
from ml.adaptation.results import answered, mean_grade
from ml.adaptation.shares import aihub_shares, read_shares
from ml.bundle import MANIFEST_FILE, Bundle
from ml.data.files import find_photographs
from ml.data.synthetic import draw_scalp
from ml.data.synthetic.texture import stream
from ml.labels import SYMPTOMS
from ml.metrics import confusion_matrix, quadratic_weighted_kappa
from ml.preprocessing import open_photo

PHOTOGRAPHS = 50
_SEED = 6_000_000

#: How frequent each grade is in the population of the shifted scope.
SHARES = np.array(
    (
        (0.35, 0.30, 0.25, 0.10),
        (0.15, 0.25, 0.35, 0.25),
        (0.55, 0.25, 0.15, 0.05),
        (0.70, 0.18, 0.08, 0.04),
        (0.30, 0.30, 0.25, 0.15),
        (0.40, 0.25, 0.20, 0.15),
    )
)


def draw_shifted(seed: int, grades: Sequence[int]) -> Image.Image:
    """A synthetic scalp as the scope of this experiment shows it, 640×480."""
    random = stream(seed, "a shifted scope")
    photo = draw_scalp(seed, grades)
    magnification = random.uniform(1.6, 2.2)
    width, height = (side / magnification for side in photo.size)
    left, top = random.uniform(0, photo.width - width), random.uniform(0, photo.height - height)
    photo = photo.resize(photo.size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
    photo = photo.filter(ImageFilter.GaussianBlur(random.uniform(1.2, 2.0)))
    photo = photo.filter(ImageFilter.UnsharpMask(4, 250, 0))
    gains = np.array((1.12, 0.86, 0.62)) * np.exp(random.normal(0, 0.05, 3))
    pixels = np.clip(np.asarray(photo) / 255 * gains, 0, 1) ** 0.8
    return Image.fromarray(np.round(255 * (0.1 + 0.9 * pixels)).astype(np.uint8))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.adaptation", description=__doc__.partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, bundles and what networks said")
    parser.add_argument("--bundle", type=Path, default=Path("ml/bundles/demo"))
    parser.add_argument("--real", type=Path, help="folder of real photographs of one scope")
    parser.add_argument("--others", type=int, default=150, help="pictures to measure on (default: %(default)s)")
    options = parser.parse_args()
    parent = Bundle.open(options.bundle)
    options.work.mkdir(parents=True, exist_ok=True)
    measure_synthetic(parent, options.work, options.others)
    if options.real:
        measure_real(parent, options.work, options.real)
    return 0


def measure_synthetic(parent: Bundle, work: Path, count: int) -> None:
    random = np.random.default_rng(_SEED)
    grades = np.stack([random.choice(4, size=PHOTOGRAPHS + count, p=row) for row in SHARES], axis=1)
    folder = work / "shifted"
    if not folder.exists():
        folder.mkdir()
        for number in range(PHOTOGRAPHS):
            draw_shifted(_SEED + number, grades[number].tolist()).save(folder / f"{number:03}.jpg", quality=90)
    shares = work / "shares.csv"
    with shares.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([symptom.key, *row] for symptom, row in zip(SYMPTOMS, SHARES, strict=True))
    kinds = {
        "true shares": AdaptationOptions(shares=read_shares(shares), shares_from="in this population"),
        "AI Hub's shares": AdaptationOptions(),
        "true shares, batch-norm 50": AdaptationOptions(
            shares=read_shares(shares), shares_from="in this population", batch_norm=50
        ),
    }
    numbers = range(PHOTOGRAPHS, PHOTOGRAPHS + count)

    def others() -> Iterable[Image.Image]:
        return (draw_shifted(_SEED + number, grades[number].tolist()) for number in numbers)

    before = _observed(parent, work, "shifted", others())
    truth = grades[PHOTOGRAPHS:][list(before.places)]
    columns = {"before": before}
    for kind, how in kinds.items():
        out = work / f"adapted, {kind}"
        bundle, adaptation = adapt_bundle(parent, folder, out, how)
        print(f"{kind}: {adaptation.tally.sentence()}. {adaptation.gate}")
        # Levels need no second pass: they read the same outputs.
        columns[kind] = (
            _observed(bundle, work, "shifted", others())
            if how.batch_norm is not None
            else Observation(
                {symptom.key: bundle.model(symptom.key) for symptom in SYMPTOMS},
                before.outputs, before.features, before.sizes, before.places,
            )
        )  # fmt: skip
    print(f"\n{len(before)} of {count} others pass the gate. QWK (mean expected grade):")
    print(f"{'':<32}{'truth':>8}" + "".join(f"{name:>28}" for name in columns))
    for column, symptom in enumerate(SYMPTOMS):
        cells = [
            f"{_qwk(truth[:, column], each.probabilities(symptom.key)):.2f} "
            f"({mean_grade(each.probabilities(symptom.key)):.2f})"
            for each in columns.values()
        ]
        print(f"{symptom.english:<32}{truth[:, column].mean():>8.2f}" + "".join(f"{cell:>28}" for cell in cells))
    means = [
        np.mean([_qwk(truth[:, c], each.probabilities(s.key)) for c, s in enumerate(SYMPTOMS)])
        for each in columns.values()
    ]
    print(f"{'Mean QWK':<40}" + "".join(f"{mean:>28.2f}" for mean in means))


def measure_real(parent: Bundle, work: Path, real: Path) -> None:
    paths = find_photographs(real)
    order = np.random.default_rng(_SEED).permutation(len(paths))
    folder = work / "real"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for index in order[:PHOTOGRAPHS]:
        (folder / paths[index].name).symlink_to(paths[index].resolve())
    bundle, adaptation = adapt_bundle(parent, folder, work / "adapted, real", AdaptationOptions())
    print(f"\nReal photographs: {adaptation.tally.sentence()}. {adaptation.gate}")
    others = _observed(parent, work, "real", (open_photo(paths[index]) for index in order[PHOTOGRAPHS:]))
    print(f"{len(others)} of {len(paths) - PHOTOGRAPHS} others pass the gate. Mean expected grade (shares of grades):")
    for symptom in SYMPTOMS:
        levels = bundle.model(symptom.key).levels
        assert levels is not None
        after = levels.of_scores(torch.from_numpy(others.scores(symptom.key))).numpy()
        before, expected = others.probabilities(symptom.key), aihub_shares()[symptom.key]
        cells = [
            f"{mean_grade(each):.2f} ({' '.join(f'{share:.2f}' for share in answered(each))})"
            for each in (before, after)
        ]
        print(f"{symptom.english:<32} {cells[0]} → {cells[1]}, expected {expected @ np.arange(4):.2f}")


def _qwk(truth: np.ndarray, probabilities: np.ndarray) -> float:
    return float(quadratic_weighted_kappa(confusion_matrix(truth, probabilities.argmax(axis=1), 4)))


def _observed(bundle: Bundle, work: Path, name: str, pictures: Iterable[Image.Image]) -> Observation:
    """What the bundle says of the pictures, kept in the work folder."""
    digest = hashlib.sha256((bundle.folder / MANIFEST_FILE).read_bytes()).hexdigest()
    path = work / f"{name}-{digest[:16]}.npz"
    models = {symptom.key: bundle.model(symptom.key) for symptom in SYMPTOMS}
    if not path.exists():
        seen = observe(bundle, pictures, Tally())
        np.savez(path, features=seen.features, sizes=seen.sizes, places=seen.places, **seen.outputs)
    with np.load(path) as kept:
        sizes = tuple((int(width), int(height)) for width, height in kept["sizes"])
        outputs = {key: kept[key] for key in models}
        return Observation(models, outputs, kept["features"], sizes, tuple(kept["places"].tolist()))


if __name__ == "__main__":
    sys.exit(main())
