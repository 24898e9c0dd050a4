"""Rows of the tables in the admin, which `admin/_table.html` renders."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString


@dataclass(frozen=True)
class TableRow:
    """A row: its name, linked to `url` if there is one, a second text if the table has one, cells and a bar."""

    name: str
    cells: tuple[object, ...]
    bar: SafeString
    url: str = ""
    text: str = ""
