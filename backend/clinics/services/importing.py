"""Import of clinics from a register: corrects what is certain, reports the rest, and can be repeated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import transaction

from backend.clinics.models import Clinic
from backend.clinics.registers.coordinates import CoordinatesMissing
from backend.clinics.registers.departments import read_dermatologists
from backend.clinics.registers.layouts import ListedClinic, RowSkipped, find_layout
from backend.clinics.sources import Source
from backend.operations.spreadsheets import FileUnreadable, read_rows

#: The columns that a register provides. Admins edit the others.
COLUMNS = (
    "source", "name", "kind", "province", "district", "address", "phone", "website", "specialists", "longitude",
    "latitude",
)  # fmt: skip
#: Clinics in two lists are the same if they have the same name and are at most this far apart, about 150 m.
SAME_PLACE_DEGREES = 0.0015
#: Line numbers listed per reason in a report.
MAX_REPORTED_LINES = 5
BATCH_SIZE = 500


@dataclass
class ClinicImportReport:
    """The outcome of an import, with line numbers by reason."""

    source: Source
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0  #: closed according to the register, or missing in it with `replace_all`
    samples: int = 0  #: invented clinics that were removed
    missing: int = 0  #: clinics of an earlier list that are not in the file, and stay
    corrected: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    merged: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __str__(self) -> str:
        lines = [
            f"{self.rows:,} rows of {self.source.label}: {self.added:,} clinics added, {self.changed:,} changed, "
            f"{self.unchanged:,} unchanged, {self.removed:,} removed."
        ]
        if self.missing:
            lines.append(
                f"{self.missing:,} clinics from an earlier list are not in this one and stay; --replace removes them."
            )
        if self.samples:
            lines.append(f"{self.samples:,} invented clinics were removed.")
        for title, kinds in (("Corrected", self.corrected), ("Merged", self.merged), ("Skipped", self.skipped)):
            lines += [
                f"{title}: {len(found):,} {REASON_TEXTS[kind]} ({_line_list(found)})"
                for kind, found in kinds.items()
                if found
            ]
        return "\n".join(lines)


REASON_TEXTS = {
    "swapped": "with swapped longitude and latitude",
    "projected": "in meters, converted to degrees",
    "shortened": "with a text that is longer than its column",
    "key": "with the key of another row",
    "place": "that another list has with the same name at the same place",
    "blank": "without coordinates",
    "unreadable": "with coordinates that are not numbers",
    "outside": "with coordinates outside Korea",
    "closed": "that are closed",
    "not_skin": "that do not treat skin",
    "nameless": "without a name",
}


def clinics_import(path: Path, departments: Path | None = None, *, replace_all: bool = False) -> ClinicImportReport:
    """Import a list of clinics in one transaction; `departments` is HIRA's file of departments.

    `replace_all` removes clinics of the same register that are not in this file. Raises FileUnreadable or OSError.
    """
    rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise FileUnreadable(f"{path.name} has no rows below its header.")
    layout = find_layout(first.cells)
    known = read_dermatologists(departments) if departments else None
    report = ClinicImportReport(layout.source)
    clinics: dict[str, ListedClinic] = {}
    lines: dict[str, int] = {}
    closed: set[str] = set()
    for row in chain((first,), rows):
        report.rows += 1
        try:
            clinic = layout.read_clinic(row.cells, known)
        except RowSkipped as reason:
            report.skipped[reason.code].append(row.line)
            if reason.code == "closed":
                closed.add(reason.key)
        except CoordinatesMissing as reason:
            report.skipped[reason.code].append(row.line)
        else:
            for correction in ("swapped", "projected"):
                if getattr(clinic.coordinates, correction):
                    report.corrected[correction].append(row.line)
            clinic = _truncate(clinic, report, row.line)
            if clinic.key in clinics:
                report.merged["key"].append(row.line)
                clinic = _merge(clinics[clinic.key], clinic)
            clinics[clinic.key] = clinic
            lines.setdefault(clinic.key, row.line)
    elsewhere = _write(clinics, closed, report, replace_all)
    report.merged["place"] += [lines[key] for key in elsewhere]
    return report


def clinics_write(clinics: Iterable[ListedClinic], source: Source) -> ClinicImportReport:
    """Replace all clinics of this source with these."""
    report = ClinicImportReport(source)
    _write({clinic.key: clinic for clinic in clinics}, set(), report, replace_all=True)
    return report


@transaction.atomic
def _write(
    clinics: dict[str, ListedClinic], closed: set[str], report: ClinicImportReport, replace_all: bool
) -> list[str]:
    """Write the clinics; returns the keys of those that were left out because another list has them."""
    existing = {clinic.key: clinic for clinic in Clinic.objects.filter(source=report.source)}
    others: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, longitude, latitude in Clinic.objects.exclude(source=report.source).values_list(
        "name", "longitude", "latitude"
    ):
        others[_normalize_name(name)].append((longitude, latitude))
    added, changed, elsewhere = [], [], []
    for key, clinic in clinics.items():
        values = _columns(clinic)
        row = existing.get(key)
        if row is None:
            if _is_listed_elsewhere(clinic, others):
                elsewhere.append(key)
                continue
            added.append(Clinic(key=key, **values))
            added[-1].update_search_text()
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
    gone = closed & existing.keys()
    missing = existing.keys() - clinics.keys() - gone
    if replace_all:
        gone |= missing
    else:
        report.missing = len(missing)
    for batch in _batches(sorted(gone)):
        report.removed += Clinic.objects.filter(key__in=batch).delete()[0]
    if clinics and report.source != Source.SAMPLE:
        report.samples = Clinic.objects.filter(source=Source.SAMPLE).delete()[0]
    return elsewhere


def _columns(clinic: ListedClinic) -> dict[str, Any]:
    return {
        name: getattr(clinic.coordinates if name in {"longitude", "latitude"} else clinic, name) for name in COLUMNS
    }


def _truncate(clinic: ListedClinic, report: ClinicImportReport, line: int) -> ListedClinic:
    """The clinic with texts cut to the maximum lengths of their columns."""
    cut: dict[str, Any] = {}
    for column in fields(ListedClinic):
        value, max_length = getattr(clinic, column.name), MAX_LENGTHS.get(column.name)
        if isinstance(value, str) and max_length and len(value) > max_length:
            cut[column.name] = value[:max_length]
    if not cut:
        return clinic
    report.corrected["shortened"].append(line)
    return replace(clinic, **cut)


#: Maximum length by column.
MAX_LENGTHS = {column.name: column.max_length for column in Clinic._meta.concrete_fields if column.max_length}


def _merge(first: ListedClinic, second: ListedClinic) -> ListedClinic:
    """The first clinic, with its empty fields filled from the second."""
    blanks = {
        column.name: getattr(second, column.name)
        for column in fields(ListedClinic)
        if getattr(first, column.name) in {"", None}
    }
    return replace(first, **blanks)


def _is_listed_elsewhere(clinic: ListedClinic, others: dict[str, list[tuple[float, float]]]) -> bool:
    return any(
        abs(longitude - clinic.coordinates.longitude) < SAME_PLACE_DEGREES
        and abs(latitude - clinic.coordinates.latitude) < SAME_PLACE_DEGREES
        for longitude, latitude in others.get(_normalize_name(clinic.name), ())
    )


def _normalize_name(name: str) -> str:
    return "".join(name.split()).casefold()


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), BATCH_SIZE):
        yield keys[start : start + BATCH_SIZE]


def _line_list(lines: list[int]) -> str:
    numbers = ", ".join(f"{line:,}" for line in lines[:MAX_REPORTED_LINES])
    return f"line {numbers}{' …' if len(lines) > MAX_REPORTED_LINES else ''}"
