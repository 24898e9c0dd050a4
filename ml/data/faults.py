"""What was wrong with the files of a data set: counted by kind, with the first examples of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

_MAX_EXAMPLES = 5


class Fault(Enum):
    """A kind of fault; the value says in English what is counted and how it was handled."""

    UNREADABLE_FOLDER = "folders that cannot be read: skipped"
    BROKEN_ZIP = "zips that cannot be read: skipped"
    NESTED_ZIP = "zips inside a zip: skipped, unpack the outer one"
    ZIP_PART = "parts of a zip: skipped, join them into one zip first"
    OTHER_FILE = "files that are neither JPEG nor JSON: skipped"
    BROKEN_JSON = "JSON files that cannot be read: skipped"
    NOT_A_LABEL = "JSON files without a label: skipped"
    GRADE_MISSING = "labels without all six grades: skipped"
    GRADE_OUT_OF_RANGE = "labels with a grade that is not 0 to 3: skipped"
    OTHER_NAME = "labels filed under a different name than the picture: kept, by the picture's name"
    META_UNKNOWN = "meta files with an unknown sex or age: kept without it"
    BROKEN_JPEG = "JPEG files without a start or an end: skipped, another copy is used if there is one"
    NAME_UNKNOWN = "pictures whose name does not contain a person: left out"
    CONFLICTING_LABELS = "pictures whose labels contradict each other: left out"
    NO_PICTURE = "labels without a picture: left out"
    NO_LABEL = "pictures without a usable label: left out"
    NO_WHOLE_COPY = "labeled pictures of which every copy is broken: left out"


@dataclass(slots=True)
class Faults:
    """The count of each fault, and its first five examples in the order of the files."""

    counts: dict[Fault, int] = field(default_factory=dict)
    examples: dict[Fault, list[str]] = field(default_factory=dict)

    def add(self, fault: Fault, example: str) -> None:
        """Count a fault; the first few of each kind keep their example."""
        self.counts[fault] = self.counts.get(fault, 0) + 1
        shown = self.examples.setdefault(fault, [])
        if len(shown) < _MAX_EXAMPLES:
            shown.append(example)

    def __iter__(self) -> Iterator[tuple[Fault, int, list[str]]]:
        """The faults with count and examples, in the order of `Fault`."""
        return ((fault, self.counts[fault], self.examples[fault]) for fault in Fault if fault in self.counts)
