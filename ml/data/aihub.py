"""Read AI Hub's set of scalp images by type (유형별 두피 이미지, dataSetSn 216), in all common layouts.

A picture is in up to six folders, one for each symptom that it shows, and all `0.양호` folders have the same pictures,
those with all six grades at 0. So folders are not used as labels: the reader joins the pictures and labels of all
folders by name and uses the six grades in every label.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml.data.faults import Fault, Faults
from ml.data.files import UNREADABLE, FoundFile, StoredFile, find_files
from ml.data.names import PARTS, Folder, PictureName
from ml.data.records import DataSet, Record
from ml.errors import DataSetInvalid
from ml.labels import SYMPTOMS

_JPEG_ENDINGS = (".jpg", ".jpeg")
_VALUES = tuple(f"value_{number}" for number in range(1, len(SYMPTOMS) + 1))
_GRADES = {"0": 0, "1": 1, "2": 2, "3": 3}
_SEXES = {"남": "남", "남자": "남", "남성": "남", "여": "여", "여자": "여", "여성": "여"}
_AGE = re.compile(r"([0-9]{2})(?:대|대 이상|세)?")

Grades = tuple[int | None, ...]


@dataclass(slots=True)
class _Gathered:
    """The content of all files about each picture, by its name without suffix."""

    faults: Faults
    partial_labels: bool
    pictures: dict[str, list[FoundFile]] = field(default_factory=lambda: defaultdict(list))
    grades: dict[str, list[Grades]] = field(default_factory=lambda: defaultdict(list))
    folders: dict[str, set[Folder]] = field(default_factory=lambda: defaultdict(set))
    metas: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def add(self, file: FoundFile) -> None:
        stem, dot, ending = file.name.rpartition(".")
        ending = (dot + ending).lower()
        if ending in _JPEG_ENDINGS:
            self.pictures[stem].append(file)
            self.folders[stem].add(file.folder)
        elif ending != ".json":
            self.faults.add(Fault.OTHER_FILE, file.shown)
        else:
            try:
                found = _entries(file.stored.read())
            except (*UNREADABLE, ValueError) as error:
                self.faults.add(Fault.BROKEN_JSON, f"{file.shown}: {error}")
                return
            if stem.upper().endswith("_META"):
                self._add_meta(file, stem[: -len("_META")], found)
            else:
                self._add_labels(file, stem, found)

    def _add_labels(self, file: FoundFile, stem: str, labels: list[dict[str, Any]]) -> None:
        labels = [label for label in labels if any(value in label for value in _VALUES)]
        if not labels:
            self.faults.add(Fault.NOT_A_LABEL, file.shown)
        for label in labels:
            name = _picture_named_by(label) or stem
            if name != stem and len(labels) == 1:
                self.faults.add(Fault.OTHER_NAME, f"{file.shown}: of {name}")
            values = [str(label.get(value) if label.get(value) is not None else "").strip() for value in _VALUES]
            if "" in values and not (self.partial_labels and any(values)):
                self.faults.add(Fault.GRADE_MISSING, f"{file.shown}: {_VALUES[values.index('')]}")
            elif wrong := [pair for pair in zip(_VALUES, values, strict=True) if pair[1] and pair[1] not in _GRADES]:
                self.faults.add(Fault.GRADE_OUT_OF_RANGE, f"{file.shown}: {wrong[0][0]} is {wrong[0][1]!r}")
            else:
                grades = tuple(_GRADES.get(value) for value in values)
                if grades not in self.grades[name]:
                    self.grades[name].append(grades)
                self.folders[name].add(file.folder)

    def _add_meta(self, file: FoundFile, stem: str, metas: list[dict[str, Any]]) -> None:
        for meta in metas:
            gender, age = str(meta.get("gender", "")).strip(), str(meta.get("age", "")).strip()
            known = _SEXES.get(gender), _decade(age)
            if None in known:
                self.faults.add(Fault.META_UNKNOWN, f"{file.shown}: gender {gender!r}, age {age!r}")
            self.metas.setdefault(_picture_named_by(meta) or stem, known)


def read_aihub(
    path: Path, *, partial_labels: bool = False, check_pictures: bool = True, whole_pictures: bool = False
) -> DataSet:
    """Read the set in `path`: a folder, a zip, or a folder with zips, in any of its layouts.

    Only the directories of zips, the JSON files, and the first and last bytes of one copy of each picture are read.
    Without `check_pictures` pictures are not read at all; with `whole_pictures` all bytes are read, which is the only
    way to see the end of a compressed member. With `partial_labels`, a label with missing, null or empty grades counts
    for the other grades, and several such labels of one picture are joined; otherwise it is skipped and counted as a
    fault. Raises DataSetInvalid if `path` does not exist or has no picture with a usable label; all other faults are
    counted in the result's `faults`.
    """
    gathered = _Gathered(Faults(), partial_labels)
    for file in find_files(path, gathered.faults):
        gathered.add(file)
    records = []
    # Pictures are checked in the order in which they were found, which is the order on the disk.
    for stem in dict.fromkeys((*gathered.pictures, *gathered.grades)):
        usable = _usable(gathered, stem)
        if usable is None:
            continue
        name, grades = usable
        copies = gathered.pictures[stem]
        picture = copies[0].stored
        if check_pictures or whole_pictures:
            whole = _first_whole(copies, gathered.faults, whole_pictures)
            if whole is None:
                gathered.faults.add(Fault.NO_WHOLE_COPY, stem)
                continue
            picture = whole
        sex, age = gathered.metas.get(stem, (None, None))
        folders = gathered.folders[stem]
        records.append(
            Record(
                id=stem,
                grades=grades,
                person=name.person,
                device=name.device,
                region=name.region,
                sex=sex,
                age=age,
                parts=tuple(part for part in PARTS if any(folder.part == part for folder in folders)),
                filed=_filed(folders),
                copies=len(copies),
                picture=picture,
            )
        )
    if not records:
        faults = "; ".join(f"{count} {fault.value}" for fault, count, _ in gathered.faults)
        raise DataSetInvalid(f"{path} holds no picture with a usable label. {faults}".rstrip())
    return DataSet(sorted(records, key=lambda record: record.id), gathered.faults)


def _usable(gathered: _Gathered, stem: str) -> tuple[PictureName, Grades] | None:
    """The name and the grades of a picture; None, with a fault, if they are missing or its labels disagree."""
    faults, grades = gathered.faults, gathered.grades.get(stem, [])
    name = PictureName.parse(stem)
    if stem not in gathered.pictures:
        faults.add(Fault.NO_PICTURE, stem)
    elif not grades:
        faults.add(Fault.NO_LABEL, stem)
    elif (joined := _join(grades)) is None:
        shown = " and ".join("".join("–" if grade is None else str(grade) for grade in each) for each in grades)
        faults.add(Fault.CONFLICTING_LABELS, f"{stem}: {shown}")
    elif name is None:
        faults.add(Fault.NAME_UNKNOWN, stem)
    else:
        return name, joined
    return None


def _join(labels: Iterable[Grades]) -> Grades | None:
    """The combined grades of the labels of one picture, None if they contradict each other."""
    found = [{grade for grade in column if grade is not None} for column in zip(*labels, strict=True)]
    if any(len(grades) > 1 for grades in found):
        return None
    return tuple(next(iter(grades), None) for grades in found)


def _first_whole(copies: Iterable[FoundFile], faults: Faults, whole: bool) -> StoredFile | None:
    for copy in copies:
        if copy.stored.is_jpeg(whole=whole):
            return copy.stored
        faults.add(Fault.BROKEN_JPEG, copy.shown)
    return None


def _filed(folders: Iterable[Folder]) -> tuple[tuple[int, int], ...]:
    pairs = ((folder.symptom, folder.grade) for folder in folders)
    return tuple(sorted({(symptom, grade) for symptom, grade in pairs if symptom is not None and grade is not None}))


def _entries(data: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a file, which may be in a list, have a byte order mark, or be encoded as cp949.

    Raises ValueError if it is not JSON.
    """
    try:
        content = json.loads(data)
    except UnicodeDecodeError:
        content = json.loads(data.decode("cp949"))
    entries = content if isinstance(content, list) else [content]
    return [entry for entry in entries if isinstance(entry, dict)]


def _picture_named_by(entry: dict[str, Any]) -> str | None:
    """The picture's name, without suffix, in a label or meta file."""
    name = entry.get("image_file_name")
    if not isinstance(name, str):
        return None
    stem, _, ending = name.strip().replace("\\", "/").rpartition("/")[2].rpartition(".")
    return stem if f".{ending}".lower() in _JPEG_ENDINGS else None


def _decade(age: str) -> str | None:
    """`40대` of `40대`, `43` or `43세`; from 80 on `80대 이상`."""
    match = _AGE.fullmatch(age)
    if match is None or match[1] < "10":
        return None
    return f"{match[1][0]}0대" if match[1] < "80" else "80대 이상"
