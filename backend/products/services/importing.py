"""Taking a catalogue over: what a line says is checked, what is wrong with it is said, and nothing is taken twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import override

from backend.operations.spreadsheets import FileUnreadable, read_rows
from backend.products.kinds import ProductKind
from backend.products.models import WEB, Product
from ml.labels import SCALP_TYPES, SYMPTOMS, Label

#: Invented products, to try the pages with. Their maker is nobody, their links lead to pages that there are not.
SAMPLES_PATH = Path(__file__).parent.parent / "samples.csv"
#: What each column is called in a file, blanks and case aside.
COLUMNS: dict[str, tuple[str, ...]] = {
    "key": ("key", "번호", "제품번호"),
    "name": ("name", "이름", "제품명"),
    "name_en": ("name_en", "영문명"),
    "maker": ("maker", "제조사", "브랜드"),
    "kind": ("kind", "종류"),
    "ingredients": ("ingredients", "성분"),
    "ingredients_en": ("ingredients_en", "영문성분"),
    "suits_types": ("types", "두피유형"),
    "suits_signs": ("symptoms", "signs", "증상"),
    "avoid_types": ("avoid_types", "피할유형"),
    "avoid_signs": ("avoid_symptoms", "avoid_signs", "피할증상"),
    "avoid": ("avoid", "주의"),
    "avoid_en": ("avoid_en", "영문주의"),
    "url": ("link", "url", "링크"),
    "closed": ("closed", "단종"),
}
REQUIRED_COLUMNS = ("key", "name", "kind", "url")
LIST_COLUMNS = ("suits_types", "suits_signs", "avoid_types", "avoid_signs")
#: Letters that a column takes.
MAX_LENGTHS = {column.name: column.max_length for column in Product._meta.concrete_fields if column.max_length}
#: Words of one cell. The slash belongs to a sign's name.
LIST_SEPARATOR = re.compile(r"[;,|]")
TRUE_WORDS = {"1", "true", "yes", "y", "o", "예", "단종"}
FALSE_WORDS = {"", "0", "false", "no", "n", "x", "아니요"}
#: What nobody may claim of a cosmetic (Cosmetics Act, article 13), and what no cosmetic is.
CURE_CLAIMS = re.compile(
    r"완치|치료|처방|효능|효과|의약품|발모|탈모\s*(?:방지|예방)|\b(?:cures?|heals?|prescription|drug)\b",
    re.IGNORECASE,
)
#: Where it would be a claim. What to avoid a product with may well speak of a treatment.
CLAIM_COLUMNS = ("name", "name_en", "ingredients", "ingredients_en")

REASON_TEXTS = {
    "key": "has no key",
    "name": "has no name",
    "kind": f"is of no known kind; there are {', '.join(ProductKind.values)}",
    "word": "names a type or a sign that there is not",
    "url": "has a link that is no address of the web, http or https",
    "long": "has a text that is longer than its column",
    "claims": "claims what nobody may claim of a cosmetic",
    "suits": "suits no type and no sign",
    "contradicts": "is to be avoided with what it suits",
    "closed": "says neither yes nor no about being closed",
    "twice": "has the key of an earlier line",
}


class Skipped(Exception):
    """A line that is not taken over; `code` says why."""

    def __init__(self, code: str, found: str = "") -> None:
        self.code = code
        self.found = found
        super().__init__(code)


@dataclass
class ImportReport:
    """What came of an import, line by line."""

    lines: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    closed: int = 0
    unchanged: int = 0
    skipped: int = 0
    missing: int = 0  #: that are in the catalogue, are not in the file, and stay
    samples: int = 0  #: invented ones that gave way

    def note(self, line: int | None, key: str, what: str, why: str = "") -> None:
        setattr(self, what, getattr(self, what) + 1)
        place = f"line {line}" if line else "not in the file"
        self.lines.append(f"{place}: {what} {key or '–'}{f', {why}' if why else ''}")

    def __str__(self) -> str:
        counts = (
            f"{self.added:,} products added, {self.changed:,} changed, {self.closed:,} closed, "
            f"{self.unchanged:,} unchanged, {self.skipped:,} skipped."
        )
        lines = [*self.lines, counts]
        if self.missing:
            lines.append(f"{self.missing:,} products are not in this file and stay; --replace closes them.")
        if self.samples:
            lines.append(f"{self.samples:,} invented products were removed.")
        return "\n".join(lines)


def products_import(path: Path, *, replace_all: bool = False) -> ImportReport:
    """Take over the products of a list. All of it or, after an error, nothing; a second time, nothing changes.

    `replace_all` closes what is not in the file. Raises FileUnreadable or OSError.
    """
    report = ImportReport()
    taken: dict[str, tuple[int, dict[str, Any]]] = {}
    for line, cells in _lines(path):
        try:
            values = _values(cells)
            if values["key"] in taken:
                raise Skipped("twice")
        except Skipped as reason:
            found = f" ({reason.found})" if reason.found else ""
            report.note(line, cells["key"], "skipped", f"as it {REASON_TEXTS[reason.code]}{found}")
        else:
            taken[values["key"]] = line, values
    with transaction.atomic():
        _write(taken, report, replace_all)
    return report


def write_samples(*, remove: bool = False) -> int:
    """Replace the invented products by those of `SAMPLES_PATH`, or remove them; returns how many there are."""
    wanted = (
        {}
        if remove
        else {values["key"]: values for values in (_values(cells) for _line, cells in _lines(SAMPLES_PATH))}
    )
    with transaction.atomic():
        Product.objects.filter(sample=True).exclude(key__in=wanted).delete()
        for key, values in wanted.items():
            Product.objects.update_or_create(key=key, defaults={**values, "sample": True, "active": True})
    return len(wanted)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a list with their cells by our columns. Raises FileUnreadable or OSError."""
    rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise FileUnreadable(f"{path.name} has no rows below its header.")
    names = {column: next((name for name in known if name in first.cells), "") for column, known in COLUMNS.items()}
    if missing := [column for column in REQUIRED_COLUMNS if not names[column]]:
        wanted = ", ".join("/".join(COLUMNS[column]) for column in missing)
        raise FileUnreadable(f"{path.name} lacks columns: {wanted}.")
    for row in chain((first,), rows):
        yield row.line, {column: row.cells.get(name, "") for column, name in names.items() if name}


def _write(taken: dict[str, tuple[int, dict[str, Any]]], report: ImportReport, replace_all: bool) -> None:
    if taken:
        samples = Product.objects.filter(sample=True)
        report.samples = samples.count()
        samples.delete()
    there = {product.key: product for product in Product.objects.all()}
    for key, (line, values) in taken.items():
        product = there.get(key)
        if product is None:
            Product.objects.create(**values)
            report.note(line, key, "added" if values.get("active", True) else "closed")
            continue
        changes = [column for column, value in values.items() if getattr(product, column) != value]
        if not changes:
            report.unchanged += 1
            continue
        closes = "active" in changes and not values["active"]
        for column in changes:
            setattr(product, column, values[column])
        product.save(update_fields=changes)
        report.note(line, key, "closed" if closes else "changed", "" if closes else ", ".join(changes))
    for key in sorted(there.keys() - taken.keys()):
        if not there[key].active:
            continue
        if replace_all:
            Product.objects.filter(key=key).update(active=False)
            report.note(None, key, "closed")
        else:
            report.missing += 1


def _values(cells: dict[str, str]) -> dict[str, Any]:
    """The columns of a product that a line tells of. Raises Skipped."""
    values: dict[str, Any] = {**cells}
    for column in ("key", "name"):
        if not values[column]:
            raise Skipped(column)
    values["kind"] = _kind(values["kind"])
    for column in LIST_COLUMNS:
        if column in values:
            values[column] = _keys(values[column], SCALP_TYPES if column.endswith("types") else SYMPTOMS)
    _check_link(values["url"])
    for column, most in MAX_LENGTHS.items():
        if len(values.get(column, "")) > most:
            raise Skipped("long", column)
    for column in CLAIM_COLUMNS:
        if claim := CURE_CLAIMS.search(values.get(column, "")):
            raise Skipped("claims", claim[0])
    if "closed" in values:
        closed = values.pop("closed").lower()
        if closed not in TRUE_WORDS | FALSE_WORDS:
            raise Skipped("closed", closed)
        values["active"] = closed not in TRUE_WORDS
    uses = Product(**values).uses
    if not uses.suits_something:
        raise Skipped("suits")
    if uses.contradicts:
        raise Skipped("contradicts")
    return values


def _kind(word: str) -> str:
    """The kind by its key or by its Korean or English name."""
    for kind in ProductKind:
        known = {str(kind.value)}
        for language in ("ko", "en"):
            with override(language):
                known.add(str(kind.label).lower())
        if word.lower() in known:
            return str(kind.value)
    raise Skipped("kind", word)


def _keys(cell: str, labels: tuple[Label, ...]) -> list[str]:
    """The keys of the labels that a cell names by key, Korean or English word, in the order of the vocabulary."""
    known = {word.lower(): label.key for label in labels for word in (label.key, label.korean, label.english)}
    found = set()
    for word in filter(None, (part.strip().lower() for part in LIST_SEPARATOR.split(cell))):
        if word not in known:
            raise Skipped("word", word)
        found.add(known[word])
    return [label.key for label in labels if label.key in found]


def _check_link(url: str) -> None:
    try:
        WEB(url)
        if "@" in urlsplit(url).netloc:  # It would seem to lead to whatever stands before it.
            raise Skipped("url", url)
    except (ValidationError, ValueError) as error:
        raise Skipped("url", url) from error
