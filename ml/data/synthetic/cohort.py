"""A cohort: made-up persons and the pictures that are taken of them, named as in AI Hub's scalp set."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from ml.data.names import REGIONS
from ml.data.synthetic.grades import draw_grades
from ml.data.synthetic.texture import stream
from ml.labels import SYMPTOMS

#: Person numbers have four digits.
MOST_PERSONS = 9999

PARTS = ("Training", "Validation")

_SEXES = ("남", "여")
_AGES = ("10대", "20대", "30대", "40대", "50대", "60대", "70대")
_DEVICES = tuple(f"A2LEBJJDE{number:05d}{letter}" for number, letter in ((60, "O"), (71, "P"), (83, "K"), (112, "T")))
_SHOTS = range(2, 7)
_FIRST_DAY_MS = 1_600_000_000_000
_VALIDATION_SHARE = 0.15
_SHORT_NAMES_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to draw: `person` and `seed` are seeds of the drawing, `grades` six integers 0 to 3.

    `stem` is its name without ending, `image_id` that without the region; `part` is one of `PARTS`, `sex` and
    `age` are Korean words as in meta files, `region` one of `ml.data.names.REGIONS`.
    """

    stem: str
    image_id: str
    seed: int
    person: int
    grades: tuple[int, ...]
    part: str
    sex: str
    age: str
    region: str

    def label(self) -> bytes:
        """The label as JSON, values as strings."""
        values = {f"value_{number}": str(grade) for number, grade in enumerate(self.grades, 1)}
        return self._json(values)

    def meta(self) -> bytes:
        """What the meta file says of the person, as JSON. The real one's answers to questions are not made up."""
        return self._json({"gender": self.sex, "age": self.age, "location": self.region})

    def folders(self) -> list[tuple[int, int]]:
        """Symptom and grade of the folders it is filed in: each symptom that shows, or grade 0 of all."""
        shown = [(symptom, grade) for symptom, grade in enumerate(self.grades) if grade]
        return shown or [(symptom, 0) for symptom in range(len(SYMPTOMS))]

    def _json(self, values: dict[str, str]) -> bytes:
        named = {"image_id": self.image_id, "image_file_name": f"{self.stem}.jpg", **values}
        return json.dumps(named, ensure_ascii=False).encode()


def plan_cohort(pictures: int, *, seed: int, persons: int | None = None, balanced: float = 0.0) -> list[Shot]:
    """The shots of a cohort, ordered by name; the same arguments give the same ones.

    `balanced` is the share of pictures whose grades are balanced (`draw_grades`). Without `persons` there are about
    twelve pictures per person. No person is in both parts. Raises ValueError
    unless there are 1 to 9999 persons and a picture or more of each.
    """
    persons = min(max(1, pictures // 12), MOST_PERSONS) if persons is None else persons
    if not 1 <= persons <= min(pictures, MOST_PERSONS):
        raise ValueError(f"between 1 person and one a picture, at most {MOST_PERSONS}, are wanted, not {persons}")
    random = stream(seed, "cohort")
    grades = draw_grades(random, pictures, balanced=balanced)
    busy = random.gamma(2.0, size=persons)
    counts = 1 + random.multinomial(pictures - persons, busy / busy.sum())
    numbers = 1 + random.choice(MOST_PERSONS, size=persons, replace=False)
    # Every person's pictures have seeds of their own, drawn far from those of small whole numbers.
    seeds = iter(random.integers(2**32, 2**62, size=pictures))
    validation = round(persons * _VALIDATION_SHARE) or int(persons > 1)
    rows = iter(grades.tolist())
    shots = []
    for index, (number, count) in enumerate(zip(numbers.tolist(), counts.tolist(), strict=True)):
        part = PARTS[index < validation]
        who, sex, age = int(random.integers(2**62)), str(random.choice(_SEXES)), str(random.choice(_AGES))
        for stem, image_id, region in _names(random, number, count):
            row = tuple(next(rows))
            shots.append(Shot(stem, image_id, int(next(seeds)), who, row, part, sex, age, region))
    return sorted(shots, key=lambda shot: shot.stem)


def _names(random: np.random.Generator, number: int, count: int) -> list[tuple[str, str, str]]:
    """Names of a person's pictures, with what stands before the region, and the region.

    `0013_A2LEBJJDE00060O_1602578303771_3_TH` says device and time; some persons have the short form `8952_5_RH`.
    """
    views = [(shot, region) for shot in _SHOTS for region in REGIONS]
    order = random.permutation(len(views))
    device, taken = str(random.choice(_DEVICES)), _FIRST_DAY_MS + int(random.integers(10_000_000_000))
    short = random.random() < _SHORT_NAMES_SHARE and count <= len(views)
    names = []
    for index in range(count):
        shot, region = views[order[index % len(views)]]
        taken += int(random.integers(1_500, 15_000))
        image_id = f"{number:04d}_{shot}" if short else f"{number:04d}_{device}_{taken}_{shot}"
        names.append((f"{image_id}_{region}", image_id, region))
    return names
