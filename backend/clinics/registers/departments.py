"""HIRA's file of departments, with one row per clinic and department."""

from __future__ import annotations

from pathlib import Path

from backend.clinics.registers.layouts import DERMATOLOGY_CODE
from backend.operations.spreadsheets import FileUnreadable, read_rows

KEY, CODE, SPECIALISTS = "암호화요양기호", "진료과목코드", "과목별전문의수"


def read_dermatologists(path: Path) -> dict[str, int]:
    """The number of dermatologists, possibly 0, of each clinic with dermatology, by key. Raises FileUnreadable."""
    found: dict[str, int] = {}
    for row in read_rows(path):
        if KEY not in row.cells or CODE not in row.cells:
            raise FileUnreadable(f"{path.name} has no columns {KEY} and {CODE}.")
        if row.cells[CODE].zfill(2) == DERMATOLOGY_CODE:
            count = row.cells.get(SPECIALISTS, "")
            key = row.cells[KEY]
            found[key] = max(found.get(key, 0), int(count) if count.isdecimal() else 0)
    return found
