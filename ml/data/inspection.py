"""Count the contents of a data set: grades, people, devices, duplicates, leaks, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ml.data.faults import Faults
from ml.data.names import PARTS
from ml.data.records import DataSet, Record
from ml.labels import GRADES, SYMPTOMS

_MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Leak:
    """The pictures and persons that two parts have in common, and the number of persons of the second part."""

    pictures: int
    persons: int
    persons_of_second: int

    @classmethod
    def between(cls, first: Iterable[Record], second: Iterable[Record]) -> Leak:
        """The leak from the first part into the second."""
        first, second = list(first), list(second)
        persons = {record.person for record in second}
        return cls(
            pictures=len({record.id for record in first} & {record.id for record in second}),
            persons=len({record.person for record in first} & persons),
            persons_of_second=len(persons),
        )


@dataclass(frozen=True, slots=True)
class SymptomCounts:
    """One symptom over all pictures.

    `grades` counts pictures by grade, `unlabeled` those without one, `filed` those in the symptom's folder of
    that grade. `disagreements` counts (picture, folder) pairs whose folder has a different grade than the label.
    """

    key: str
    grades: tuple[int, ...]
    unlabeled: int
    filed: tuple[int, ...]
    disagreements: int
    examples: tuple[str, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each grade among the labeled pictures, 0 to 1; 0 if there are none."""
        total = sum(self.grades) or 1
        return tuple(count / total for count in self.grades)

    @property
    def majority_accuracy(self) -> float:
        """Accuracy of always answering the most frequent grade, which a grader must exceed."""
        return max(self.shares)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Counts over a data set: `partly_labeled` pictures lack a grade, `all_good` ones have only grade 0.

    `leak` is None unless both official parts are there.
    """

    pictures: int
    partly_labeled: int
    persons: int
    all_good: int
    symptoms: tuple[SymptomCounts, ...]
    devices: dict[str, int]
    regions: dict[str, int]
    sexes: dict[str, int]
    ages: dict[str, int]
    copies: dict[int, int]
    parts: dict[str, int]
    leak: Leak | None
    faults: Faults

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON document."""
        document = asdict(self)
        for symptom, counts in zip(document["symptoms"], self.symptoms, strict=True):
            symptom["shares"] = [round(share, 4) for share in counts.shares]
            symptom["majority_accuracy"] = round(counts.majority_accuracy, 4)
        document["faults"] = [
            {"fault": fault.name.lower(), "description": fault.value, "count": count, "examples": examples}
            for fault, count, examples in self.faults
        ]
        return document


def inspect_data(data: DataSet) -> Inspection:
    """Count what `data` holds."""
    records = data.records
    by_part = official_parts(records)
    return Inspection(
        pictures=len(records),
        partly_labeled=sum(not record.fully_labeled for record in records),
        persons=len({record.person for record in records}),
        all_good=sum(record.fully_labeled and not any(record.grades) for record in records),
        symptoms=tuple(_symptom_counts(records, index) for index in range(len(SYMPTOMS))),
        devices=_count_by(records, lambda record: record.device or "unknown"),
        regions=_count_by(records, lambda record: record.region),
        sexes=_count_by(records, lambda record: record.sex or "unknown"),
        ages=_count_by(records, lambda record: record.age or "unknown"),
        copies=dict(sorted(Counter(record.copies for record in records).items())),
        parts={part: len(group) for part, group in by_part.items()},
        leak=Leak.between(*by_part.values()) if all(by_part.values()) else None,
        faults=data.faults,
    )


def official_parts(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The publisher's own training and validation pictures; a picture in both is in both lists."""
    parts: dict[str, list[Record]] = {part: [] for part in PARTS}
    for record in records:
        for part in record.parts:
            parts[part].append(record)
    return parts


def _count_by(records: Iterable[Record], of: Callable[[Record], str]) -> dict[str, int]:
    return dict(sorted(Counter(map(of, records)).items()))


def _symptom_counts(records: Sequence[Record], symptom: int) -> SymptomCounts:
    grades, filed = [0] * len(GRADES), [0] * len(GRADES)
    unlabeled = disagreements = 0
    examples: list[str] = []
    for record in records:
        grade = record.grades[symptom]
        if grade is None:
            unlabeled += 1
        else:
            grades[grade] += 1
        for filed_symptom, filed_grade in record.filed:
            if filed_symptom == symptom:
                filed[filed_grade] += 1
                if grade is not None and filed_grade != grade:
                    disagreements += 1
                    if len(examples) < _MAX_EXAMPLES:
                        examples.append(f"{record.id}: folder {filed_grade}, label {grade}")
    return SymptomCounts(SYMPTOMS[symptom].key, tuple(grades), unlabeled, tuple(filed), disagreements, tuple(examples))
