"""Clinics by place, words and specialists. The order is the alphabet's: nothing that could be paid for is in it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import Count, Max, Q, QuerySet

from backend.clinics.errors import ClinicUnknown
from backend.clinics.models import Clinic
from backend.clinics.sources import Source

#: Words of a search that are looked at.
MAX_SEARCH_WORDS = 6
#: What the map has of each clinic, in this order.
MAP_COLUMNS = (
    "id", "latitude", "longitude", "name", "district", "address", "phone", "specialists", "booking", "sample",
)  # fmt: skip


@dataclass(frozen=True)
class Box:
    """Degrees of WGS84."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True)
class Packed:
    """All clinics in one JSON document, compressed by gzip; `etag` changes with any of them."""

    etag: str
    body: bytes


def clinics_found(
    words: str = "", *, box: Box | None = None, specialist: bool = False, booking: bool = False
) -> QuerySet[Clinic]:
    """The clinics in whose name, address or district each of the words is, by name."""
    found = Clinic.objects.all()
    # PostgreSQL keeps no text with a zero byte, and refuses to look for one.
    for word in words.replace("\0", " ").split()[:MAX_SEARCH_WORDS]:
        found = found.filter(
            Q(name__icontains=word) | Q(address__icontains=word)
            | Q(district__icontains=word) | Q(province__icontains=word)
        )  # fmt: skip
    if box:
        found = found.filter(
            latitude__range=(box.south, box.north),
            longitude__range=(box.west, box.east),
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


def clinics_packed() -> Packed:
    """All of them for the map, put together once for each state of the table.

    The whole list goes to the browser, so that search and distance stay there: whoever asked for what is near would
    tell where they are.
    """
    state = Clinic.objects.aggregate(count=Count("id"), last=Max("changed_at"), highest=Max("id"))
    return _packed(f"{state['count']}-{state['highest'] or 0}-{state['last'].timestamp() if state['last'] else 0:.6f}")


@lru_cache(1)
def _packed(state: str) -> Packed:
    columns = [*MAP_COLUMNS[:-2], "booking_url", "source"]
    rows = [
        (*told, bool(booking_url), source == Source.SAMPLE)
        for *told, booking_url, source in Clinic.objects.order_by("name", "id").values_list(*columns)
    ]
    document = json.dumps({"columns": MAP_COLUMNS, "clinics": rows}, ensure_ascii=False, separators=(",", ":"))
    # A fixed time, so that two servers pack the same bytes.
    return Packed(f'"{state}"', gzip.compress(document.encode(), mtime=0))
