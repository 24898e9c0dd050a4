"""Taking a register's clinics over: mended where that is certain, told where it is not, never twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import transaction

from backend.clinics.models import Clinic
from backend.clinics.registers.coordinates import NoPlace
from backend.clinics.registers.departments import read_dermatologists
from backend.clinics.registers.layouts import Listed, Skipped, layout_of
from backend.clinics.sources import Source
from backend.operations.spreadsheets import FileUnreadable, read_rows

#: What a register says of a clinic. The rest of its row is the admins'.
COLUMNS = (
    "source", "name", "kind", "province", "district", "address", "phone", "website", "specialists", "longitude",
    "latitude",
)  # fmt: skip
#: Two lists have the same clinic where its name is the same and it lies no further away: some 150 m.
SAME_PLACE_DEGREES = 0.0015
#: Lines that a report names of each kind.
MAX_REPORTED_LINES = 5
BATCH_SIZE = 500


@dataclass
class ImportReport:
    """What came of an import; lists of lines in the file by what was the matter with them."""

    source: Source
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0  #: that the register calls closed, or that are no longer in it where it shall replace all
    samples: int = 0  #: invented ones that gave way
    missing: int = 0  #: that came from this register once, are not in the file, and stay
    mended: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    merged: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __str__(self) -> str:
        lines = [
            f"{self.rows:,} rows of {self.source.label}: {self.added:,} clinics added, {self.changed:,} changed, "
            f"{self.unchanged:,} as they were, {self.removed:,} removed."
        ]
        if self.missing:
            lines.append(
                f"{self.missing:,} clinics of an earlier list are not in this one and stay; --replace removes."
            )
        if self.samples:
            lines.append(f"{self.samples:,} invented clinics gave way.")
        for title, kinds in (("Mended", self.mended), ("Merged", self.merged), ("Skipped", self.skipped)):
            lines += [
                f"{title}: {len(found):,} {REASON_TEXTS[kind]} ({_line_list(found)})"
                for kind, found in kinds.items()
                if found
            ]
        return "\n".join(lines)


REASON_TEXTS = {
    "swapped": "with longitude and latitude exchanged",
    "projected": "in metres, turned into degrees",
    "shortened": "with a text that is longer than its column",
    "key": "with the key of another row",
    "place": "that another list has under the same name in the same place",
    "blank": "without coordinates",
    "unreadable": "with coordinates that are no numbers",
    "outside": "with coordinates outside Korea",
    "closed": "that are closed",
    "not_skin": "that are not for skin",
    "nameless": "without a name",
}


def clinics_import(path: Path, departments: Path | None = None, *, replace_all: bool = False) -> ImportReport:
    """Take over the clinics of a list; `departments` is HIRA's file of them. All of it or, after an error, nothing.

    `replace_all` removes what came from the same register and is not in this file. Raises FileUnreadable or OSError.
    """
    rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise FileUnreadable(f"{path.name} has no rows below its head.")
    layout = layout_of(first.cells)
    known = read_dermatologists(departments) if departments else None
    report = ImportReport(layout.source)
    listed: dict[str, Listed] = {}
    lines: dict[str, int] = {}
    closed: set[str] = set()
    for row in chain((first,), rows):
        report.rows += 1
        try:
            clinic = layout.listed(row.cells, known)
        except Skipped as reason:
            report.skipped[reason.code].append(row.line)
            if reason.code == "closed":
                closed.add(reason.key)
        except NoPlace as reason:
            report.skipped[reason.code].append(row.line)
        else:
            for what in ("swapped", "projected"):
                if getattr(clinic.place, what):
                    report.mended[what].append(row.line)
            clinic = _truncate(clinic, report, row.line)
            if clinic.key in listed:
                report.merged["key"].append(row.line)
                clinic = _merge(listed[clinic.key], clinic)
            listed[clinic.key] = clinic
            lines.setdefault(clinic.key, row.line)
    elsewhere = _write(listed, closed, report, replace_all)
    report.merged["place"] += [lines[key] for key in elsewhere]
    return report


def clinics_write(listed: Iterable[Listed], source: Source) -> ImportReport:
    """Have exactly these clinics of that source."""
    report = ImportReport(source)
    _write({clinic.key: clinic for clinic in listed}, set(), report, replace_all=True)
    return report


@transaction.atomic
def _write(listed: dict[str, Listed], closed: set[str], report: ImportReport, replace_all: bool) -> list[str]:
    """The keys of those that were left out, as another list has them."""
    there = {clinic.key: clinic for clinic in Clinic.objects.filter(source=report.source)}
    others: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, longitude, latitude in Clinic.objects.exclude(source=report.source).values_list(
        "name", "longitude", "latitude"
    ):
        others[_normalize_name(name)].append((longitude, latitude))
    added, changed, elsewhere = [], [], []
    for key, clinic in listed.items():
        values = _columns(clinic)
        row = there.get(key)
        if row is None:
            if _is_listed_elsewhere(clinic, others):
                elsewhere.append(key)
                continue
            added.append(Clinic(key=key, **values))
        elif any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            changed.append(row)
        else:
            report.unchanged += 1
    Clinic.objects.bulk_create(added, batch_size=BATCH_SIZE)
    for row in changed:
        row.save()
    report.added, report.changed = len(added), len(changed)
    gone = closed & there.keys()
    missing = there.keys() - listed.keys() - gone
    if replace_all:
        gone |= missing
    else:
        report.missing = len(missing)
    for batch in _batches(sorted(gone)):
        report.removed += Clinic.objects.filter(key__in=batch).delete()[0]
    if listed and report.source != Source.SAMPLE:
        report.samples = Clinic.objects.filter(source=Source.SAMPLE).delete()[0]
    return elsewhere


def _columns(clinic: Listed) -> dict[str, Any]:
    return {name: getattr(clinic.place if name in {"longitude", "latitude"} else clinic, name) for name in COLUMNS}


def _truncate(clinic: Listed, report: ImportReport, line: int) -> Listed:
    """The clinic with its texts as long as their columns allow."""
    cut: dict[str, Any] = {}
    for column in fields(Listed):
        value, most = getattr(clinic, column.name), MAX_LENGTHS.get(column.name)
        if isinstance(value, str) and most and len(value) > most:
            cut[column.name] = value[:most]
    if not cut:
        return clinic
    report.mended["shortened"].append(line)
    return replace(clinic, **cut)


#: Letters that a column takes.
MAX_LENGTHS = {column.name: column.max_length for column in Clinic._meta.concrete_fields if column.max_length}


def _merge(first: Listed, second: Listed) -> Listed:
    """What the first says, and what only the second does."""
    blanks = {
        column.name: getattr(second, column.name)
        for column in fields(Listed)
        if getattr(first, column.name) in {"", None}
    }
    return replace(first, **blanks)


def _is_listed_elsewhere(clinic: Listed, others: dict[str, list[tuple[float, float]]]) -> bool:
    return any(
        abs(longitude - clinic.place.longitude) < SAME_PLACE_DEGREES
        and abs(latitude - clinic.place.latitude) < SAME_PLACE_DEGREES
        for longitude, latitude in others.get(_normalize_name(clinic.name), ())
    )


def _normalize_name(name: str) -> str:
    return "".join(name.split()).casefold()


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), BATCH_SIZE):
        yield keys[start : start + BATCH_SIZE]


def _line_list(lines: list[int]) -> str:
    told = ", ".join(f"{line:,}" for line in lines[:MAX_REPORTED_LINES])
    return f"line {told}{' …' if len(lines) > MAX_REPORTED_LINES else ''}"
