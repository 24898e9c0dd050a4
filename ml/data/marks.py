"""Marks: areas that a person has marked on ungraded photographs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.data.records import Record
from ml.errors import DataSetInvalid
from ml.labels import SYMPTOMS

#: What a mark is a sign of, by the name of the mark.
SIGN_OF_MARK = {"dandruff": "dandruff", "oil": "excess_sebum", "redness": "interfollicular_erythema"}

_MARK_OF_SIGN = {sign: mark for mark, sign in SIGN_OF_MARK.items()}
_COLUMNS = {"dandruff": "dandruff_share", "oil": "oil_share", "redness": "sensitive_share"}


@dataclass(frozen=True, slots=True)
class Marks:
    """Shares of a photograph, 0 to 1, that a person's boxes around flakes, shiny and red patches cover."""

    dandruff: float
    oil: float
    redness: float

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.dandruff, self.oil, self.redness)):
            raise ValueError("shares must be from 0 to 1")

    def shares(self) -> tuple[float | None, ...]:
        """The marked share of each sign, in the order of `SYMPTOMS`; None for a sign without a column of marks."""
        return tuple(
            getattr(self, _MARK_OF_SIGN[symptom.key]) if symptom.key in _MARK_OF_SIGN else None for symptom in SYMPTOMS
        )


def read_marks(path: Path) -> Mapping[str, Marks]:
    """Marks by file name, from a CSV with the columns file, dandruff_share, oil_share and sensitive_share.

    Raises DataSetInvalid.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["file"]: Marks(**{mark: float(row[column]) for mark, column in _COLUMNS.items()})
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError) as error:
        raise DataSetInvalid(
            f"{path} can't be read as marks: {error}. It needs the columns file, dandruff_share, oil_share and "
            "sensitive_share, with shares from 0 to 1."
        ) from error


def marked_records(photos: Sequence[Path], marks: Mapping[str, Marks]) -> list[Record]:
    """The marked ones of these photographs as records without grades, to train on. Each counts as a person's only one.

    Raises DataSetInvalid where fewer than two are marked: there is nothing to compare then.
    """
    marked = [photo for photo in photos if photo.name in marks]
    if len(marked) < 2:
        raise DataSetInvalid(
            f"{len(marked)} of {len(photos)} photographs are in the marks, and two or more are needed. The column file "
            "has the names of the photographs with their endings."
        )
    return [Record.of_file(photo, photo.stem, marked=marks[photo.name].shares()) for photo in marked]
