"""Import of a product catalog: checks every line, reports what it skips, and can be repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import override

from backend.operations.spreadsheets import FileUnreadable, read_rows
from backend.operations.web_addresses import validate_web_address
from backend.products.kinds import ProductKind
from backend.products.models import Product
from ml.labels import SCALP_TYPES, SYMPTOMS, Label

#: Invented products for trying out the pages. Neither their makers nor their links exist.
SAMPLES_PATH = Path(__file__).parent.parent / "samples.csv"
#: Accepted names of each column in a file, ignoring spaces and case.
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
#: Maximum length by column.
MAX_LENGTHS = {column.name: column.max_length for column in Product._meta.concrete_fields if column.max_length}
#: Separators in a cell with several words. A slash can be part of a sign's name.
LIST_SEPARATOR = re.compile(r"[;,|]")
TRUE_WORDS = {"1", "true", "yes", "y", "o", "예", "단종"}
FALSE_WORDS = {"", "0", "false", "no", "n", "x", "아니요"}
#: Claims that are forbidden for cosmetics (Cosmetics Act, article 13), and words for things that are not cosmetics.
CURE_CLAIMS = re.compile(
    r"완치|치료|처방|효능|효과|의약품|발모|탈모\s*(?:방지|예방)|\b(?:cures?|heals?|prescription|drug)\b",
    re.IGNORECASE,
)
#: Columns in which these words would be claims. A note on when to avoid a product may mention a treatment.
CLAIM_COLUMNS = ("name", "name_en", "ingredients", "ingredients_en")

REASON_TEXTS = {
    "key": "has no key",
    "name": "has no name",
    "kind": f"has an unknown kind; known kinds are {', '.join(ProductKind.values)}",
    "word": "names an unknown type or sign",
    "url": "has a link that is not an http or https address",
    "long": "has a text that is longer than its column",
    "claims": "makes a claim that is forbidden for cosmetics",
    "suits": "suits no type and no sign",
    "contradicts": "suits a type or sign with which it is to be avoided",
    "closed": "has neither yes nor no in the column “closed”",
    "twice": "has the key of an earlier line",
}


class LineSkipped(Exception):
    """A line is not imported; `code` says why."""

    def __init__(self, code: str, found: str = "") -> None:
        self.code = code
        self.found = found
        super().__init__(code)


@dataclass
class ProductImportReport:
    """The outcome of an import, line by line."""

    lines: list[str] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    closed: int = 0
    unchanged: int = 0
    skipped: int = 0
    missing: int = 0  #: active products that are not in the file, and stay
    samples: int = 0  #: invented products that were removed

    def note(self, line: int | None, key: str, outcome: str, details: str = "") -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)
        place = f"line {line}" if line else "not in the file"
        self.lines.append(f"{place}: {outcome} {key or '–'}{f', {details}' if details else ''}")

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


def products_import(path: Path, *, replace_all: bool = False) -> ProductImportReport:
    """Import a list of products in one transaction. A second time, nothing changes.

    `replace_all` closes products that are not in the file. Raises FileUnreadable or OSError.
    """
    report = ProductImportReport()
    products: dict[str, tuple[int, dict[str, Any]]] = {}
    for line, cells in _read_lines(path):
        try:
            values = _parse_product(cells)
            if values["key"] in products:
                raise LineSkipped("twice")
        except LineSkipped as reason:
            found = f" ({reason.found})" if reason.found else ""
            report.note(line, cells["key"], "skipped", f"because it {REASON_TEXTS[reason.code]}{found}")
        else:
            products[values["key"]] = line, values
    with transaction.atomic():
        _write(products, report, replace_all)
    return report


def write_samples(*, remove: bool = False) -> int:
    """Replace the invented products with those in `SAMPLES_PATH`, or remove them; returns how many there are."""
    samples = (
        {}
        if remove
        else {values["key"]: values for values in (_parse_product(cells) for _line, cells in _read_lines(SAMPLES_PATH))}
    )
    with transaction.atomic():
        Product.objects.filter(sample=True).exclude(key__in=samples).delete()
        for key, values in samples.items():
            Product.objects.update_or_create(key=key, defaults={**values, "sample": True, "active": True})
    return len(samples)


def _read_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The line numbers of a list with their cells by column. Raises FileUnreadable or OSError."""
    rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise FileUnreadable(f"{path.name} has no rows below its header.")
    names = {column: next((name for name in known if name in first.cells), "") for column, known in COLUMNS.items()}
    if missing := [column for column in REQUIRED_COLUMNS if not names[column]]:
        needed = ", ".join("/".join(COLUMNS[column]) for column in missing)
        raise FileUnreadable(f"{path.name} lacks columns: {needed}.")
    for row in chain((first,), rows):
        yield row.line, {column: row.cells.get(name, "") for column, name in names.items() if name}


def _write(products: dict[str, tuple[int, dict[str, Any]]], report: ProductImportReport, replace_all: bool) -> None:
    if products:
        samples = Product.objects.filter(sample=True)
        report.samples = samples.count()
        samples.delete()
    existing = {product.key: product for product in Product.objects.all()}
    for key, (line, values) in products.items():
        product = existing.get(key)
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
    for key in sorted(existing.keys() - products.keys()):
        if not existing[key].active:
            continue
        if replace_all:
            Product.objects.filter(key=key).update(active=False)
            report.note(None, key, "closed")
        else:
            report.missing += 1


def _parse_product(cells: dict[str, str]) -> dict[str, Any]:
    """The values of a product's columns. Raises LineSkipped."""
    values: dict[str, Any] = {**cells}
    for column in ("key", "name"):
        if not values[column]:
            raise LineSkipped(column)
    values["kind"] = _parse_kind(values["kind"])
    for column in LIST_COLUMNS:
        if column in values:
            values[column] = _parse_keys(values[column], SCALP_TYPES if column.endswith("types") else SYMPTOMS)
    _check_link(values["url"])
    for column, max_length in MAX_LENGTHS.items():
        if len(values.get(column, "")) > max_length:
            raise LineSkipped("long", column)
    for column in CLAIM_COLUMNS:
        if claim := CURE_CLAIMS.search(values.get(column, "")):
            raise LineSkipped("claims", claim[0])
    if "closed" in values:
        closed = values.pop("closed").lower()
        if closed not in TRUE_WORDS | FALSE_WORDS:
            raise LineSkipped("closed", closed)
        values["active"] = closed not in TRUE_WORDS
    uses = Product(**values).uses
    if not uses.suits_something:
        raise LineSkipped("suits")
    if uses.contradicts:
        raise LineSkipped("contradicts")
    return values


def _parse_kind(word: str) -> str:
    """The kind by its key or by its Korean or English name."""
    for kind in ProductKind:
        known = {str(kind.value)}
        for language in ("ko", "en"):
            with override(language):
                known.add(str(kind.label).lower())
        if word.lower() in known:
            return str(kind.value)
    raise LineSkipped("kind", word)


def _parse_keys(cell: str, labels: tuple[Label, ...]) -> list[str]:
    """The keys of the labels that a cell names by key, Korean or English word, in the order of the vocabulary."""
    known = {word.lower(): label.key for label in labels for word in (label.key, label.korean, label.english)}
    found = set()
    for word in filter(None, (part.strip().lower() for part in LIST_SEPARATOR.split(cell))):
        if word not in known:
            raise LineSkipped("word", word)
        found.add(known[word])
    return [label.key for label in labels if label.key in found]


def _check_link(url: str) -> None:
    try:
        validate_web_address(url)
    except (ValidationError, ValueError) as error:
        raise LineSkipped("url", url) from error
