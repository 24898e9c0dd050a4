"""Answers: what networks said of labelled pictures, raw, beside what is known of the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from ml.data.records import Record
from ml.labels import GRADES, SYMPTOMS
from ml.outputs import Output, outputs_for, to_probabilities

_COLUMNS = {symptom.key: column for column, symptom in enumerate(SYMPTOMS)}


@dataclass(frozen=True, slots=True)
class Answers:
    """Raw answers to `n` pictures for each of `symptoms`, which are all six or fewer, in the order of `SYMPTOMS`.

    `outputs` are float32 `[n, symptoms, outputs_for(4, output)]` before any temperature, `output` says what they mean.
    `grades` `[n, symptoms]` are the labels. `sexes`, `ages` and `devices` are None where unknown.
    """

    symptoms: tuple[str, ...]
    outputs: np.ndarray
    output: Output
    grades: np.ndarray
    ids: tuple[str, ...]
    persons: tuple[str, ...]
    sexes: tuple[str | None, ...]
    ages: tuple[str | None, ...]
    devices: tuple[str | None, ...]

    def __post_init__(self) -> None:
        shape = (len(self.ids), len(self.symptoms), outputs_for(len(GRADES), self.output))
        if self.outputs.shape != shape or self.grades.shape != shape[:2]:
            raise ValueError(
                f"outputs {list(shape)} and grades {list(shape[:2])} are wanted, not {list(self.outputs.shape)} "
                f"and {list(self.grades.shape)}"
            )

    @classmethod
    def of(cls, records: Sequence[Record], symptoms: Sequence[str], outputs: np.ndarray, output: Output) -> Self:
        """Answers to these records; raises ValueError where `outputs` is shaped otherwise than it should be."""
        columns = [_COLUMNS[symptom] for symptom in symptoms]
        grades = np.array([record.grades for record in records], dtype=np.int64).reshape(-1, len(SYMPTOMS))
        return cls(
            symptoms=tuple(symptoms),
            outputs=np.asarray(outputs, dtype=np.float32),
            output=output,
            grades=grades[:, columns],
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
        return self.symptoms == tuple(_COLUMNS)

    def probabilities(self, temperatures: Mapping[str, float] | None = None) -> np.ndarray:
        """Probabilities of the grades, `[n, symptoms, 4]`; a symptom that `temperatures` does not name has 1."""
        known = temperatures or {}
        columns = [
            to_probabilities(torch.from_numpy(self.outputs[:, column]).double(), self.output, known.get(symptom, 1.0))
            for column, symptom in enumerate(self.symptoms)
        ]
        probabilities: np.ndarray = torch.stack(columns, dim=1).numpy()
        return probabilities
