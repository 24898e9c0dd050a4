"""Clinics for tests."""

from __future__ import annotations

from typing import Any

from backend.clinics.models import Clinic
from backend.clinics.sources import Source


def clinic(name: str, **columns: Any) -> Clinic:
    """A clinic in Gangnam, unless told otherwise."""
    given = {
        "key": f"csv:{name}",
        "source": Source.CSV,
        "district": "강남구",
        "province": "서울",
        "address": f"서울 강남구 예시로 {len(name)}",
        "phone": "02-000-0000",
        "longitude": 127.0276,
        "latitude": 37.4979,
    }
    return Clinic.objects.create(name=name, **(given | columns))
