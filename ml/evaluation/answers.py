"""Answers: raw outputs of networks for labeled pictures, with the facts about the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

import numpy as np
import torch

from ml.data.records import UNLABELED, Record
from ml.labels import GRADES, SYMPTOMS
from ml.levels import Levels
from ml.outputs import Output, outputs_for, to_answers

_COLUMNS = {symptom.key: column for column, symptom in enumerate(SYMPTOMS)}


@dataclass(frozen=True, slots=True)
class Raw:
    """Raw outputs for one symptom: float32 `[views, n, outputs_for(4, output)]`, before any temperature.

    A view is one pass over each picture, as it is or flipped, by one network of an ensemble. Most subjects have one.
    """

    values: np.ndarray
    output: Output

    def __post_init__(self) -> None:
        wanted = outputs_for(len(GRADES), self.output)
        if self.values.ndim != 3 or self.values.shape[2] != wanted or not len(self.values):
            raise ValueError(
                f"raw {self.output} outputs must have the shape [views, n, {wanted}], not {list(self.values.shape)}"
            )

    def probabilities(self, temperature: float = 1.0, levels: Levels | None = None) -> np.ndarray:
        """Probabilities of the grades `[n, 4]`, as in the service."""
        probabilities: np.ndarray = to_answers(torch.from_numpy(self.values), self.output, temperature, levels).numpy()
        return probabilities


@dataclass(frozen=True, slots=True)
class Answers:
    """Raw answers for `n` pictures and each of `symptoms`, all six or fewer, in the order of `SYMPTOMS`.

    `grades` `[n, symptoms]` are the labels, or `UNLABELED`. `sexes`, `ages` and `devices` are None if unknown.
    """

    symptoms: tuple[str, ...]
    raw: tuple[Raw, ...]
    grades: np.ndarray
    ids: tuple[str, ...]
    persons: tuple[str, ...]
    sexes: tuple[str | None, ...]
    ages: tuple[str | None, ...]
    devices: tuple[str | None, ...]

    @classmethod
    def of(cls, records: Sequence[Record], raw: Mapping[str, Raw]) -> Self:
        """Answers for these records by symptom. Raises ValueError if the numbers differ."""
        symptoms = tuple(symptom for symptom in _COLUMNS if symptom in raw)
        if any(raw[symptom].values.shape[1] != len(records) for symptom in symptoms):
            raise ValueError(f"every symptom needs answers for {len(records)} pictures")
        rows = [[UNLABELED if grade is None else grade for grade in record.grades] for record in records]
        grades = np.array(rows, dtype=np.int64).reshape(-1, len(_COLUMNS))
        return cls(
            symptoms=symptoms,
            raw=tuple(raw[symptom] for symptom in symptoms),
            grades=grades[:, [_COLUMNS[symptom] for symptom in symptoms]],
            ids=tuple(record.id for record in records),
            persons=tuple(record.person for record in records),
            sexes=tuple(record.sex for record in records),
            ages=tuple(record.age for record in records),
            devices=tuple(record.device for record in records),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def complete(self) -> bool:
        """Whether all six symptoms are answered, so that the type rule can be applied."""
        return len(self.symptoms) == len(_COLUMNS)

    @property
    def labeled(self) -> np.ndarray:
        """Which pictures are labeled for which symptoms, boolean `[n, symptoms]`."""
        labeled: np.ndarray = self.grades != UNLABELED
        return labeled

    @property
    def fully_labeled(self) -> np.ndarray:
        """Which pictures are labeled for all of `symptoms`, boolean `[n]`."""
        return np.asarray(self.labeled.all(axis=1))

    def select(self, symptoms: Sequence[str]) -> Answers:
        """The answers for only these symptoms."""
        columns = [column for column, symptom in enumerate(self.symptoms) if symptom in symptoms]
        return replace(
            self,
            symptoms=tuple(self.symptoms[column] for column in columns),
            raw=tuple(self.raw[column] for column in columns),
            grades=self.grades[:, columns],
        )

    def probabilities(
        self, temperatures: Mapping[str, float], levels: Mapping[str, Levels] = MappingProxyType({})
    ) -> np.ndarray:
        """Probabilities of the grades, `[n, symptoms, 4]`.

        The default temperature is 1; without levels the probabilities stay.
        """
        return np.stack(
            [
                raw.probabilities(temperatures.get(symptom, 1.0), levels.get(symptom))
                for symptom, raw in zip(self.symptoms, self.raw, strict=True)
            ],
            axis=1,
        )
