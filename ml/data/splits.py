"""Split a data set into parts that share no person. Splits are files, which are checked when they are used.

Pictures of one person resemble each other, so a person in two parts would make the figures too good.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ml.data.records import Record
from ml.errors import SplitInvalid
from ml.labels import GRADES, SYMPTOMS

DEFAULT_FRACTIONS: Mapping[str, float] = {"training": 0.8, "validation": 0.1, "test": 0.1}


class Split(BaseModel):
    """The persons of each part. `digest` is the SHA-256 of the sorted ids of the pictures that were split."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = Field(default=1, ge=1, le=1)
    seed: int = Field(ge=0)
    fractions: dict[str, float]
    pictures: int
    digest: str
    persons: dict[str, list[str]]

    @model_validator(mode="after")
    def _is_a_partition(self) -> Split:
        check_fractions(self.fractions)
        if list(self.fractions) != list(self.persons):
            raise ValueError("fractions and persons name different parts")
        everybody = [person for group in self.persons.values() for person in group]
        if len(set(everybody)) != len(everybody):
            raise ValueError("a person is named twice")
        return self

    def divide(self, records: Iterable[Record]) -> dict[str, list[Record]]:
        """The records of each part, in their order. Raises SplitInvalid if they are not those that were split."""
        records = list(records)
        if (len(records), digest(records)) != (self.pictures, self.digest):
            raise SplitInvalid(
                f"The split was made for {self.pictures} other pictures, not for these {len(records)}. "
                "Split these, or use the data that the split was made for."
            )
        part_of = {person: part for part, group in self.persons.items() for person in group}
        if unknown := {record.person for record in records} - part_of.keys():
            raise SplitInvalid(f"The split has no part for person {min(unknown)}.")
        parts: dict[str, list[Record]] = {part: [] for part in self.persons}
        for record in records:
            parts[part_of[record.person]].append(record)
        return parts

    def save(self, path: Path) -> None:
        """Write the split as JSON, atomically."""
        written = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            written.write_text(json.dumps(self.model_dump(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            written.replace(path)
        except OSError as error:
            written.unlink(missing_ok=True)
            raise SplitInvalid(f"{path} cannot be written: {error.strerror}.") from error

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read a saved split. Raises SplitInvalid."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise SplitInvalid(f"{path} cannot be read: {error.strerror}.") from error
        except ValidationError as error:
            raise SplitInvalid(f"{path} is not a split: {error.errors()[0]['msg']}.") from error


def digest(records: Iterable[Record]) -> str:
    """SHA-256 over the ids of the pictures, sorted, each ended by a line feed."""
    lines = "".join(f"{identity}\n" for identity in sorted(record.id for record in records))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_fractions(fractions: Mapping[str, float]) -> None:
    """Raise ValueError unless there are two parts or more with fractions above 0 that sum to 1."""
    if len(fractions) < 2 or not all(0 < each < 1 for each in fractions.values()):
        raise ValueError("there must be two or more parts, with fractions between 0 and 1")
    if abs(sum(fractions.values()) - 1) > 1e-6:
        raise ValueError(f"the fractions sum to {sum(fractions.values()):g}, not 1")


def split_by_person(
    records: Sequence[Record], fractions: Mapping[str, float] = DEFAULT_FRACTIONS, *, seed: int = 0
) -> Split:
    """Split `records` so that no person is in two parts and each grade of each symptom is spread by `fractions`.

    Greedy stratification of groups, as in scikit-learn's StratifiedGroupKFold but for parts of any size: persons
    are taken from the weightiest down, and each goes where the squared deviations from `fractions`, divided by
    them as in Pearson's chi-squared and summed over the share of all pictures and of each of the 24 grades, grow
    least. Rare and frequent grades have equal weight, and so have small and large parts. The same records,
    in any order, and the same seed give the same split. Raises SplitInvalid for fewer persons than parts, ValueError
    for impossible fractions.
    """
    check_fractions(fractions)
    persons, shares = _shares(records)
    if len(persons) < len(fractions):
        raise SplitInvalid(f"{len(persons)} persons cannot be split into {len(fractions)} parts.")
    wanted = np.array(list(fractions.values()))[:, None]
    filled = np.zeros((len(wanted), shares.shape[1]))
    chosen: list[list[str]] = [[] for _ in wanted]
    for done, person in enumerate(_weightiest_first(shares, seed)):
        share = shares[person]
        # ((filled + share - wanted)² - (filled - wanted)²) / wanted, summed over the columns.
        growth = (share * (share + 2 * (filled - wanted)) / wanted).sum(axis=1)
        empty = np.array([not group for group in chosen])
        if len(persons) - done == empty.sum():
            growth[~empty] = np.inf
        part = int(growth.argmin())
        filled[part] += share
        chosen[part].append(persons[person])
    return Split(
        seed=seed,
        fractions=dict(fractions),
        pictures=len(records),
        digest=digest(records),
        persons={part: sorted(group) for part, group in zip(fractions, chosen, strict=True)},
    )


def grade_deviation(parts: Mapping[str, Sequence[Record]]) -> float:
    """The largest difference, 0 to 1, between a grade's share in one part and in all parts together."""
    every = _grade_shares([record for group in parts.values() for record in group])
    return float(max(np.abs(_grade_shares(group) - every).max() for group in parts.values()))


def _grade_shares(records: Sequence[Record]) -> np.ndarray:
    """Shares of the grades among the labeled pictures as (symptoms, grades); 0 if there are none."""
    counts = sum((_grade_counts(record) for record in records), np.zeros((len(SYMPTOMS), len(GRADES))))
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _grade_counts(record: Record) -> np.ndarray:
    """1 at the grade of each labeled symptom, 0 elsewhere: (symptoms, grades)."""
    grades = np.array([-1 if grade is None else grade for grade in record.grades])
    counts: np.ndarray = (grades[:, None] == np.arange(len(GRADES))).astype(np.float64)
    return counts


def _shares(records: Iterable[Record]) -> tuple[list[str], np.ndarray]:
    """The persons, sorted, and each one's share of all pictures and of each grade that occurs."""
    by_person: dict[str, list[Record]] = {}
    for record in records:
        by_person.setdefault(record.person, []).append(record)
    persons = sorted(by_person)
    counts = np.zeros((len(persons), 1 + len(SYMPTOMS) * len(GRADES)))
    for row, person in zip(counts, persons, strict=True):
        row[0] = len(by_person[person])
        for record in by_person[person]:
            row[1:] += _grade_counts(record).ravel()
    totals = counts.sum(axis=0)
    occurring = totals > 0
    return persons, counts[:, occurring] / totals[occurring]


def _weightiest_first(shares: np.ndarray, seed: int) -> np.ndarray:
    """Rows by their largest share, descending; within a factor of two the seed decides."""
    weight = np.floor(np.log2(shares.max(axis=1)))
    chance = np.random.Generator(np.random.Philox(seed)).random(len(shares))
    return np.lexsort((chance, -weight))
