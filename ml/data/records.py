"""A record: one picture of a data set with its grades and what is known of the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ml.data.faults import Faults
from ml.data.files import StoredFile
from ml.labels import SYMPTOMS

#: The grade, in arrays, of a picture that is not labeled for a symptom.
UNLABELED = -1


@dataclass(frozen=True, slots=True)
class Record:
    """One picture, in one or several folders. It holds no open files, so it can be sent to other processes.

    `id` is the picture's name without its ending and unique in a data set. `grades` are six integers 0 to 3
    in the order of `ml.labels.SYMPTOMS`, None for a symptom that is not labeled. `sex` (남, 여) and `age`
    (10대 … 80대 이상) are None without a meta file. `parts` are the official parts that contain it, in the order of
    `ml.data.names.PARTS`; `filed` the pairs of symptom index and grade whose folders hold it or its label; `copies`
    counts its JPEG files. `marked` are the shares of the picture, 0 to 1, that a person marked with each symptom, None
    for a symptom that was not marked (`ml.data.marks`). `picture` does not count for equality: a zip and the folder
    extracted from it give equal records.
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

    @classmethod
    def of_file(
        cls,
        path: Path,
        identity: str,
        *,
        person: str | None = None,
        grades: tuple[int | None, ...] = (None,) * len(SYMPTOMS),
        marked: tuple[float | None, ...] = (None,) * len(SYMPTOMS),
    ) -> Record:
        """A picture from outside AI Hub's set, without metadata; its person is `identity` by default."""
        return cls(
            id=identity,
            grades=grades,
            person=person or identity,
            device=None,
            region="unknown",
            sex=None,
            age=None,
            parts=(),
            filed=(),
            copies=1,
            picture=StoredFile(str(path)),
            marked=marked,
        )

    @property
    def fully_labeled(self) -> bool:
        """Whether all six grades are known."""
        return None not in self.grades

    @property
    def looked_for(self) -> bool:
        """Whether a person looked for some symptom on it and marked where it shows."""
        return any(share is not None for share in self.marked)

    def open(self) -> IO[bytes]:
        """Open the JPEG for reading, inside its zip if necessary; each process opens its own zip."""
        return self.picture.open()

    def read(self) -> bytes:
        """The bytes of the JPEG."""
        return self.picture.read()


@dataclass(frozen=True, slots=True)
class DataSet:
    """The records of a data set, ordered by id, and what was wrong with its files."""

    records: Sequence[Record]
    faults: Faults
