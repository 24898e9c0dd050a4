"""Signs painted on real photographs: real skin and hair under a sign whose grade is known.

A network that has seen signs on drawn skin alone takes much of real skin for a sign. Here each sign is drawn as
elsewhere, but onto a photograph. A photograph's own grades are not known; what a person has marked on it (`Marks`) says
which signs it lacks, and that is enough to label those 0 and to leave out the rest.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from ml.data.names import REGIONS
from ml.data.synthetic.cohort import PARTS, Shot
from ml.data.synthetic.dandruff import lay_plates
from ml.data.synthetic.films import lay_films
from ml.data.synthetic.hair import grow
from ml.data.synthetic.redness import inflame, redden
from ml.data.synthetic.sebum import gloss, wax
from ml.data.synthetic.texture import SIZE, stream
from ml.data.synthetic.view import choose_view
from ml.errors import DataSetInvalid
from ml.labels import SYMPTOMS
from ml.preprocessing import open_photo

SCALING, SEBUM, REDNESS, PUSTULES, DANDRUFF, LOSS = range(len(SYMPTOMS))

#: The signs that can be painted: hair can't be taken from a photograph.
PAINTED = (SCALING, SEBUM, REDNESS, PUSTULES, DANDRUFF)

#: Darker than the skin around it by this share of the range is hair, and signs on the skin lie below it.
_HAIR_CONTRAST = 0.1

#: Shares of a photograph that boxes around flakes cover, from which dandruff is taken for moderate and for severe.
_DANDRUFF_LEVELS = (0.02, 0.08)

MARKER_TEXT = """\
Real photographs on which ScalpSpectra has painted signs, from seeds. The licence is that of the photographs.
Labels know the painted signs and those that a person has not marked on the photograph; names and layout imitate
AI Hub's set of scalp images by type (dataSetSn 216), and nothing of that set is in here.
"""


@dataclass(frozen=True, slots=True)
class Marks:
    """Shares of a photograph, 0 to 1, that a person's boxes around flakes, shiny and red patches cover."""

    dandruff: float
    oil: float
    redness: float

    def grades(self) -> tuple[int | None, ...]:
        """What the marks say of the six signs: 0 where nothing was marked, a rough grade of dandruff, else None."""
        level = sum(self.dandruff >= least for least in _DANDRUFF_LEVELS) + 1
        return (
            None if self.dandruff else 0,
            None if self.oil else 0,
            None if self.redness else 0,
            None if self.redness else 0,
            level if self.dandruff else 0,
            None,
        )


UNKNOWN = (None,) * len(SYMPTOMS)


def read_marks(path: Path) -> Mapping[str, Marks]:
    """Marks by file name, from a CSV with the columns file, dandruff_share, oil_share and sensitive_share.

    Raises DataSetInvalid.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["file"]: Marks(*(float(row[f"{name}_share"]) for name in ("dandruff", "oil", "sensitive")))
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError) as error:
        raise DataSetInvalid(
            f"{path} can't be read as marks: {error}. It needs the columns file, dandruff_share, oil_share and "
            "sensitive_share, with shares from 0 to 1."
        ) from error


@dataclass(frozen=True, slots=True)
class PaintedShot(Shot):
    """A photograph with signs painted on it; `painted` are the six grades to paint, 0 for none."""

    photo: Path
    painted: tuple[int, ...]

    def draw(self) -> Image.Image:
        return paint_signs(open_photo(self.photo), self.seed, self.painted)


def plan_painting(photos: Sequence[Path], marks: Mapping[str, Marks], *, variants: int, seed: int) -> list[PaintedShot]:
    """`variants` shots of each photograph, the first as it is, each other with one or two signs painted on it.

    A sign that was marked on a photograph is not painted on it. All shots of a photograph count as one person's, so
    that a split keeps them together.
    """
    shots = []
    for number, photo in enumerate(photos, 1):
        random = stream(seed, f"painting {photo.name}")
        known = marks[photo.name].grades() if photo.name in marks else UNKNOWN
        free = [sign for sign in PAINTED if not known[sign]]
        for variant in range(variants):
            painted = [0] * len(SYMPTOMS)
            count = int(random.integers(1, 3)) if variant else 0
            for sign in random.choice(free, size=min(count, len(free)), replace=False):
                painted[int(sign)] = int(random.integers(1, 4))
            grades = tuple(over or under for over, under in zip(painted, known, strict=True))
            region = str(random.choice(REGIONS))
            image_id = f"{number:04d}_PAINTED_{1_700_000_000_000 + variant}_{2 + variant % 5}"
            shots.append(
                PaintedShot(
                    f"{image_id}_{region}", image_id, int(random.integers(2**32, 2**62)), number, grades, PARTS[0],
                    "여", "30대", region, photo, tuple(painted),
                )
            )  # fmt: skip
    return shots


def paint_signs(photo: Image.Image, seed: int, grades: Sequence[int]) -> Image.Image:
    """The photograph with signs of these six grades painted on its skin, RGB, 640×480 pixels; hair loss is left out."""
    picture = photo.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    before = np.asarray(picture, dtype=np.float32).transpose(2, 0, 1) / 255
    scene, view = before.copy(), choose_view(seed)
    follicles = grow(seed, seed, view)
    redden(scene, follicles, grades[REDNESS], seed, view)
    inflame(scene, follicles, grades[PUSTULES], seed, view)
    wax(scene, follicles, grades[SEBUM], seed, view)
    lay_films(scene, follicles, grades[SCALING], seed, view)
    lay_plates(scene, follicles, grades[DANDRUFF], seed, view, above=False)
    scene += _hair_mask(picture) * (before - scene)
    lay_plates(scene, follicles, grades[DANDRUFF], seed, view, above=True)
    gloss(scene, follicles, grades[SEBUM], seed, view)
    return Image.fromarray((scene.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0))


def _hair_mask(picture: Image.Image) -> np.ndarray:
    """Where hair covers the skin, 0 to 1 (height, width): what is darker than the skin around it."""
    grey = picture.convert("L")
    small = grey.resize((SIZE[0] // 8, SIZE[1] // 8), Image.Resampling.BOX).filter(ImageFilter.RankFilter(9, 56))
    skin = np.asarray(small.resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float32)
    dark = (skin - np.asarray(grey, dtype=np.float32)) / 255 - _HAIR_CONTRAST
    mask: np.ndarray = np.clip(dark / 0.08, 0, 1)
    return mask
