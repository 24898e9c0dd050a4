"""Reads csv and xlsx files as rows of text by column name, and makes text safe for files that staff open."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.functional import Promise

#: Encodings of csv files in Korea: UTF-8 with or without a byte order mark, or the one of Windows.
ENCODINGS = ("utf-8-sig", "cp949")
#: The header is searched in the first lines, as some files have a title above it.
HEADER_WITHIN_LINES = 10

#: What spreadsheets run as a formula, also after blanks; full-width signs too, as Japanese and Korean Excel take them.
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
#: What XML cannot contain (xlsx), and halves of characters, which UTF-8 cannot.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def safe_cell(value: Any) -> Any:
    """A value for a table that a spreadsheet will open: an apostrophe in front of what it would run as a formula, and a
    replacement character for what a file cannot contain. Numbers and dates stay what they are.
    """
    if not isinstance(value, str | Promise):
        return value
    text = _NOT_TEXT.sub("\ufffd", str(value))
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


class FileUnreadable(Exception):
    """The file is not a readable table; the message says why."""


class SheetRow(NamedTuple):
    line: int  #: in the file, from 1
    cells: dict[str, str]


def read_rows(path: Path) -> Iterator[SheetRow]:
    """The rows below the header without blank ones. Raises FileUnreadable, or OSError if it cannot be opened."""
    table = _workbook(path) if zipfile.is_zipfile(path) else _csv(path)
    for line, row in table:
        if sum(bool(cell) for cell in row) > 1:
            names = [_column_name(cell) for cell in row]
            break
        if line >= HEADER_WITHIN_LINES:
            raise FileUnreadable(f"{path.name} has no header in its first {HEADER_WITHIN_LINES} lines.")
    else:
        raise FileUnreadable(f"{path.name} is empty.")
    for line, row in table:
        cells = {name: cell for name, cell in zip(names, row, strict=False) if name}
        if any(cells.values()):
            yield SheetRow(line, cells)


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
            yield reader.line_num, [_text(cell) for cell in row]
    except csv.Error as error:
        raise FileUnreadable(f"{path.name}, line {reader.line_num}: {error}.") from error


def _workbook(path: Path) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook  # Only imports need it.
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise FileUnreadable(f"{path.name} is not an xlsx workbook: {error}.") from error
    with closing(book):
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # Some files state a wrong size.
        for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield line, [_text(cell) for cell in row]


def _text(cell: object) -> str:
    """The cell as a person reads it: composed Hangul, single spaces, whole numbers without `.0`."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(unicodedata.normalize("NFC", str(cell).replace("\0", "")).split())


def _column_name(cell: str) -> str:
    """A column name without what varies from year to year: spaces and letter case."""
    return "".join(cell.split()).lower()
