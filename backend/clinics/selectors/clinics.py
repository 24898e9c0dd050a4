"""Clinics by place, words and specialists, sorted by name, so that no place in the order can be bought."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Count, Max, Q, QuerySet

from backend.clinics.errors import ClinicUnknown
from backend.clinics.models import Clinic
from backend.clinics.search_text import normalize_latin, normalize_text
from backend.clinics.sources import Source

#: Further words of a search are ignored.
MAX_SEARCH_WORDS = 6
#: The columns of the map's list, in this order.
MAP_COLUMNS = (
    "id", "latitude", "longitude", "name", "district", "address", "phone", "specialists", "booking", "sample",
)  # fmt: skip


@dataclass(frozen=True)
class BoundingBox:
    """Degrees of WGS84."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class PackedClinics:
    """All clinics in one JSON document, compressed with gzip; `etag` changes whenever a clinic does."""

    etag: str
    body: bytes


def clinics_search(
    words: str = "", *, bbox: BoundingBox | None = None, specialist: bool = False, booking: bool = False
) -> QuerySet[Clinic]:
    """Clinics with all of these words in name, address or district, sorted by name."""
    found = Clinic.objects.all()
    # PostgreSQL can't store a zero byte in a text, and refuses to search for one.
    for word in words.replace("\0", " ").split()[:MAX_SEARCH_WORDS]:
        found = found.filter(
            Q(search_text__contains=normalize_text(word))
            | Q(search_text__contains=normalize_latin(word) or normalize_text(word))
        )
    if bbox:
        found = found.filter(
            latitude__range=(bbox.south, bbox.north),
            longitude__range=(bbox.west, bbox.east),
        )
    if specialist:
        found = found.filter(specialists__gt=0)
    if booking:
        found = found.exclude(booking_url="")
    return found.order_by("name", "id")


def clinic_get(clinic_id: int) -> Clinic:
    """Raises ClinicUnknown."""
    clinic = Clinic.objects.filter(pk=clinic_id).first()
    if clinic is None:
        raise ClinicUnknown
    return clinic


def clinics_are_samples() -> bool:
    return Clinic.objects.filter(source=Source.SAMPLE).exists()


def clinics_pack() -> PackedClinics:
    """All clinics for the map, built again only if the table has changed.

    The browser gets the whole list and searches and sorts it itself: a request for clinics nearby would reveal where
    the reader is.
    """
    state = Clinic.objects.aggregate(count=Count("id"), last=Max("changed_at"), highest=Max("id"))
    return _pack(f"{state['count']}-{state['highest'] or 0}-{state['last'].timestamp() if state['last'] else 0:.6f}")


@lru_cache(1)
def _pack(state: str) -> PackedClinics:
    columns = [*MAP_COLUMNS[:-2], "booking_url", "source"]
    rows = [
        (*values, bool(booking_url), source == Source.SAMPLE)
        for *values, booking_url, source in Clinic.objects.order_by("name", "id").values_list(*columns)
    ]
    document = json.dumps({"columns": MAP_COLUMNS, "clinics": rows}, ensure_ascii=False, separators=(",", ":"))
    # A fixed time, so that two servers produce the same bytes.
    return PackedClinics(f'"{state}"', gzip.compress(document.encode(), mtime=0))
