"""Photographs: what the demo learns from besides drawn pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml.data.files import find_photographs
from ml.data.marks import Marks, read_marks


@dataclass(frozen=True, slots=True)
class RealPhotographs:
    """Photographs that a demo learns from: close-ups with what a person marked on them, and heads from too far away."""

    folder: Path
    closeups: tuple[Path, ...]
    heads: tuple[Path, ...]
    marks: Mapping[str, Marks]

    @classmethod
    def open(cls, folder: Path) -> RealPhotographs:
        """`folder` has close-ups in `photos`, heads in `heads`, and marks in `photos.csv`. Raises DataSetInvalid."""
        closeups, heads = find_photographs(folder / "photos"), find_photographs(folder / "heads")
        return cls(folder, tuple(closeups), tuple(heads), read_marks(folder / "photos.csv"))

    def of(self, photos: Sequence[Path]) -> list[Marks]:
        """The marks of these photographs, in their order. Raises KeyError for one without marks."""
        return [self.marks[photo.name] for photo in photos]
