"""A record: one picture of a data set with its grades and what is known of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from ml.data.faults import Faults
from ml.data.files import StoredFile
from ml.labels import SYMPTOMS

#: What stands in arrays for the grade of a picture that is not labelled for a symptom.
UNLABELLED = -1


@dataclass(frozen=True, slots=True)
class Record:
    """One picture, however many folders it lies in. Small and free of handles, so it can be pickled.

    `id` is the picture's name without its ending and unique in a data set. `grades` are six integers 0 to 3
    in the order of `ml.labels.SYMPTOMS`, None for a symptom that is not labelled. `sex` (남, 여) and `age`
    (10대 … 80대 이상) are None without a meta file. `parts` are the official parts that it lies in, in the order of
    `ml.data.names.PARTS`; `filed` the pairs of symptom index and grade whose folders hold it or its label; `copies`
    counts its JPEG files. `marked` are the shares of the picture, 0 to 1, that a person marked with each symptom, None
    for one that nobody looked for (`ml.data.marks`). Where the bytes are doesn't count for equality: a zip and its
    folder give equal records.
    """

    id: str
    grades: tuple[int | None, ...]
    person: str
    device: str | None
    region: str
    sex: str | None
    age: str | None
    parts: tuple[str, ...]
    filed: tuple[tuple[int, int], ...]
    copies: int
    picture: StoredFile = field(compare=False)
    marked: tuple[float | None, ...] = (None,) * len(SYMPTOMS)

    @property
    def fully_labelled(self) -> bool:
        """Whether all six grades are known."""
        return None not in self.grades

    @property
    def looked_for(self) -> bool:
        """Whether a person looked for some symptom on it and marked where it shows."""
        return any(share is not None for share in self.marked)

    def open(self) -> IO[bytes]:
        """The JPEG for reading, out of its zip where it lies in one; each process opens a zip for itself."""
        return self.picture.open()

    def read(self) -> bytes:
        """The bytes of the JPEG."""
        return self.picture.read()


@dataclass(frozen=True, slots=True)
class DataSet:
    """The records of a data set, ordered by id, and what was wrong with its files."""

    records: Sequence[Record]
    faults: Faults
