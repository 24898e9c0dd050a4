"""Read labels from a table: a CSV file and a folder of pictures, for sets that are not in AI Hub's layout."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ml.data.records import Record
from ml.errors import DataSetInvalid
from ml.labels import GRADES, SYMPTOM_KEYS, SYMPTOMS

_FILE, _PERSON = "file", "person"


def read_label_table(table: Path, folder: Path) -> list[Record]:
    """The labeled pictures of a folder, ordered by file name.

    The table has a column `file`, names relative to the folder, and one for each labeled symptom, named by its key
    (`dandruff`) or its number (`value_5`), with grades 0 to 3; an empty cell means not labeled. Rows without a
    grade are skipped. A column `person` groups the pictures of a person; without it, each picture counts as another
    person. Raises DataSetInvalid with the line of the error.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = _symptom_columns(reader.fieldnames or (), table)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataSetInvalid(f"{table} cannot be read as a CSV file: {error}.") from error
    records: dict[str, Record] = {}
    for line, row in rows:
        name = (row[_FILE] or "").strip()
        grades = tuple(None if column is None else _grade(row[column], f"{table}, line {line}") for column in columns)
        if all(grade is None for grade in grades):
            continue
        if name in records:
            raise DataSetInvalid(f"{table}, line {line}: {name} occurs twice.")
        if not name or not (folder / name).is_file():
            raise DataSetInvalid(f"{table}, line {line}: there is no picture {name!r} in {folder}.")
        person = (row.get(_PERSON) or "").strip()
        records[name] = Record.of_file(folder / name, name, person=person, grades=grades)
    if not records:
        raise DataSetInvalid(f"{table} labels no picture.")
    return [records[name] for name in sorted(records)]


def _symptom_columns(names: Sequence[str], table: Path) -> list[str | None]:
    """The name of each symptom's column in this table, or None."""
    if _FILE not in names:
        raise DataSetInvalid(f"{table} has no column {_FILE} with the names of the pictures.")
    columns = [
        next((name for name in (symptom.key, f"value_{number}") if name in names), None)
        for number, symptom in enumerate(SYMPTOMS, start=1)
    ]
    if not any(columns):
        keys = ", ".join(SYMPTOM_KEYS)
        raise DataSetInvalid(f"{table} has no column for a symptom; the names are {keys}.")
    return columns


def _grade(cell: str | None, where: str) -> int | None:
    text = (cell or "").strip()
    if not text:
        return None
    if text not in {str(grade) for grade in range(len(GRADES))}:
        raise DataSetInvalid(f"{where}: {text!r} is not a grade from 0 to {len(GRADES) - 1}.")
    return int(text)
