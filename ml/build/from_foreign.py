"""Build a bundle from existing weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ml.build.foreign_weights import SUFFIXES, read_foreign
from ml.build.from_seeds import seeded_model
from ml.bundle import Bundle, write_bundle
from ml.bundle.manifest import ModelSettings, Provenance, classes_of
from ml.data.synthetic import scalp_picture
from ml.errors import BundleInvalid, WeightsUnreadable
from ml.labels import GATE, MODEL_KEYS, SYMPTOM_KEYS
from ml.networks.registry import RGB, Weights, describe
from ml.preprocessing import Aspect, Interpolation, Preprocessing, to_tensor

#: Added to `trained_on` of a bundle without a gate.
PASSES_ALL = (
    "There is no gate: every photo that is not too dark, too bright or too blurred passes as a scalp photo, with a "
    "probability of 0.5 that means nothing."
)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What weights files do not contain; None stands for the default of the network or its architecture.

    `image_size` is the side of the input in pixels, `padding_size` the image size that the network was built with if
    that is different. `gate_passes_all` replaces a missing gate.
    """

    image_size: int | None = None
    padding_size: int | None = None
    mean: RGB | None = None
    std: RGB | None = None
    aspect: Aspect = "stretch"
    interpolation: Interpolation = "bicubic"
    threshold: float = 0.0
    gate_threshold: float = 0.5
    gate_passes_all: bool = False
    allow_pickle: bool = False


def find_weights(folder: Path) -> dict[str, Path]:
    """The weights files of a folder by model key.

    A file is named after a key, or its name ends in the number of a model, 1 to 7 in the order of
    `ml.labels.MODEL_KEYS`: `dandruff.pt` or `aram_model5.pt`. Raises WeightsUnreadable if two files are for the same
    key or no file has one.
    """
    if not folder.is_dir():
        raise WeightsUnreadable(f"{folder} is not a folder.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in SUFFIXES:
            continue
        number = re.search(r"(?<!\d)([1-7])$", path.stem)
        key = path.stem if path.stem in MODEL_KEYS else MODEL_KEYS[int(number[1]) - 1] if number else None
        if key is None:
            continue
        if key in found:
            raise WeightsUnreadable(f"Both {found[key]} and {path} are for {key}. Name the files with --key.")
        found[key] = path
    if not found:
        raise WeightsUnreadable(f"No file in {folder} is named after a model key. Name the files with --key.")
    return found


def import_bundle(
    folder: Path | str, files: Mapping[str, Path], provenance: Provenance, options: ImportOptions
) -> Bundle:
    """Build and verify a bundle from weights files by model key.

    Raises WeightsUnreadable for an unusable file, BundleInvalid for an incomplete set of files or an unusable
    target folder.
    """
    missing = [key for key in SYMPTOM_KEYS if key not in files]
    if missing:
        raise BundleInvalid(f"All six graders are needed; there is no file for {', '.join(missing)}.")
    if GATE.key not in files and not options.gate_passes_all:
        raise BundleInvalid(
            f"There is no file for {GATE.key}. Without a gate any picture gets grades. If you want that, "
            "add --gate-passes-all; the bundle will say so."
        )
    if GATE.key not in files:
        provenance = provenance.model_copy(update={"trained_on": f"{provenance.trained_on} {PASSES_ALL}"})

    def models() -> Iterator[tuple[ModelSettings, Weights]]:
        for key in MODEL_KEYS:
            yield _import_model(key, files[key], options) if key in files else gate_that_passes_all()

    return write_bundle(folder, provenance, models())


def _import_model(key: str, path: Path, options: ImportOptions) -> tuple[ModelSettings, Weights]:
    foreign = read_foreign(path, allow_pickle=options.allow_pickle)
    if foreign.classes not in classes_of(key):
        raise WeightsUnreadable(
            f"{path} has {foreign.classes} classes, but {key} needs {' or '.join(map(str, classes_of(key)))}: "
            + ("other, scalp, and perhaps too far." if key == GATE.key else "the four grades.")
        )
    expects = describe(foreign.architecture)
    padding_size = options.padding_size or foreign.padding_size
    image_size = options.image_size or foreign.padding_size or expects.image_size
    settings = ModelSettings(
        key=key,
        architecture=foreign.architecture,
        image_size=image_size,
        padding_size=None if padding_size == image_size else padding_size,
        mean=options.mean or expects.mean,
        std=options.std or expects.std,
        aspect=options.aspect,
        interpolation=options.interpolation,
        classes=foreign.classes,
        threshold=options.gate_threshold if key == GATE.key else options.threshold,
    )
    return settings, foreign.weights


def gate_that_passes_all() -> tuple[ModelSettings, Weights]:
    """The smallest network with a head of zeros: it always answers 0.5, and its threshold is 0."""
    architecture = "efficientnet-b0"
    expects = describe(architecture)
    preprocessing = Preprocessing(64, expects.mean, expects.std)
    settings, weights = seeded_model(
        GATE.key,
        architecture=architecture,
        seed=0,
        preprocessing=preprocessing,
        pictures=torch.stack([to_tensor(scalp_picture(n), preprocessing) for n in range(4)]),
        threshold=0.0,
    )
    head = (f"{expects.head}.weight", f"{expects.head}.bias")
    return settings, {name: torch.zeros_like(t) if name in head else t for name, t in weights.items()}
