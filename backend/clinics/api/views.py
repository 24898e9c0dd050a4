"""The clinics API: search, one clinic, and all clinics for a map."""

from __future__ import annotations

import re

from django.http import HttpResponse, JsonResponse
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi import IF_NONE_MATCH, problems
from backend.clinics.api import openapi
from backend.clinics.errors import QueryInvalid
from backend.clinics.models import Clinic
from backend.clinics.selectors.clinics import BoundingBox, clinic_get, clinics_pack, clinics_search
from backend.clinics.sources import Source

PAGE_SIZE = 100  #: clinics per response
OFFSET_MAX_DIGITS = 9  #: no country has more clinics


class ClinicCollection(APIView):
    @extend_schema(
        operation_id="clinics_find",
        parameters=[openapi.BBOX, openapi.WORDS, openapi.SPECIALIST, openapi.BOOKING, openapi.OFFSET],
        responses={200: openapi.ClinicsSchema, **problems(422)},
    )
    def get(self, request: Request) -> HttpResponse:
        """Up to 100 clinics by name. For search and distance on the device, see `map/`."""
        found = clinics_search(
            request.GET.get("q", ""),
            bbox=_parse_bbox(request.GET["bbox"]) if "bbox" in request.GET else None,
            specialist=_parse_flag(request.GET.get("specialist", "false")),
            booking=_parse_flag(request.GET.get("booking", "false")),
        )
        offset = _parse_offset(request.GET.get("offset", "0"))
        clinics = [clinic_json(clinic) for clinic in found[offset : offset + PAGE_SIZE]]
        return JsonResponse({"count": found.count(), "clinics": clinics})


class ClinicDetail(APIView):
    @extend_schema(operation_id="clinic", responses={200: openapi.ClinicSchema, **problems(404)})
    def get(self, request: Request, clinic_id: int) -> HttpResponse:
        """One clinic."""
        return JsonResponse(clinic_json(clinic_get(clinic_id)))


class ClinicMap(APIView):
    @extend_schema(
        operation_id="clinics_map",
        parameters=[IF_NONE_MATCH],
        responses={
            200: openapi.PackedClinicsSchema,
            304: OpenApiResponse(description="Nothing has changed."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """All clinics at once, always compressed with gzip, for clients that search and sort on the device."""
        packed = clinics_pack()
        if not {packed.etag, "*"}.isdisjoint(parse_etags(request.headers.get("If-None-Match", ""))):
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(packed.body, content_type="application/json")
            response["Content-Encoding"] = "gzip"
        response["ETag"] = packed.etag
        response["Cache-Control"] = "public, no-cache"
        return response


def clinic_json(clinic: Clinic) -> dict[str, object]:
    columns = openapi.ClinicSchema().fields.keys() - {"sample"}
    return {**{name: getattr(clinic, name) for name in columns}, "sample": clinic.source == Source.SAMPLE}


def _parse_bbox(text: str) -> BoundingBox:
    """Raises QueryInvalid."""
    if not re.fullmatch(openapi.BBOX_PATTERN, text):
        raise QueryInvalid
    return BoundingBox(*map(float, text.split(",")))


def _parse_flag(text: str) -> bool:
    """Raises QueryInvalid."""
    if text not in {"true", "false"}:
        raise QueryInvalid
    return text == "true"


def _parse_offset(text: str) -> int:
    """Raises QueryInvalid."""
    if not (text.isascii() and text.isdecimal() and len(text) <= OFFSET_MAX_DIGITS):
        raise QueryInvalid
    return int(text)
