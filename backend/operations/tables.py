"""Rows of a table in a file, csv or xlsx, as words by column name."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

#: What Korean offices and programs save csv files in: with a mark of order or without, or as Windows does.
ENCODINGS = ("utf-8-sig", "cp949")
#: Of a table's head: some write a title above it.
HEAD_WITHIN = 10


class FileUnreadable(Exception):
    """The file is no table; the sentence says what it seems to be."""


class Row(NamedTuple):
    line: int  #: in the file, from 1
    cells: dict[str, str]


def rows_read(path: Path) -> Iterator[Row]:
    """The rows below the head, blank ones left out. Raises FileUnreadable, or OSError where it can't be opened."""
    table = _workbook(path) if zipfile.is_zipfile(path) else _csv(path)
    for line, row in table:
        if sum(bool(cell) for cell in row) > 1:
            names = [_name(cell) for cell in row]
            break
        if line >= HEAD_WITHIN:
            raise FileUnreadable(f"{path.name} has no head in its first {HEAD_WITHIN} lines.")
    else:
        raise FileUnreadable(f"{path.name} is empty.")
    for line, row in table:
        cells = {name: cell for name, cell in zip(names, row, strict=False) if name}
        if any(cells.values()):
            yield Row(line, cells)


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    raw = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            break
    else:
        raise FileUnreadable(f"{path.name} is neither xlsx nor text in {' or '.join(ENCODINGS)}.")
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            yield reader.line_num, [_word(cell) for cell in row]
    except csv.Error as error:
        raise FileUnreadable(f"{path.name}, line {reader.line_num}: {error}.") from error


def _workbook(path: Path) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # Only who imports needs it.
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise FileUnreadable(f"{path.name} is no xlsx workbook: {error}.") from error
    with closing(book):
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # Some state a size that is not theirs.
        for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield line, [_word(cell) for cell in row]


def _word(cell: object) -> str:
    """As a person reads it: composed Hangul, one blank for many, no `.0` behind a whole number."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(unicodedata.normalize("NFC", str(cell).replace("\0", "")).split())


def _name(cell: str) -> str:
    """A column's name without what differs from year to year: blanks and the case of letters."""
    return "".join(cell.split()).lower()
