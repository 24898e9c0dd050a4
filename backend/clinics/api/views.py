"""The API of clinics: some of them, one of them, all of them for a map."""

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
from backend.clinics.selectors.clinics import Box, clinic_get, clinics_found, clinics_packed
from backend.clinics.sources import Source

PAGE_SIZE = 100  #: clinics of one answer
OFFSET_MAX_DIGITS = 9  #: of an offset, at most: no country has more clinics


class ClinicCollection(APIView):
    @extend_schema(
        operation_id="clinics_find",
        parameters=[openapi.BBOX, openapi.WORDS, openapi.SPECIALIST, openapi.BOOKING, openapi.OFFSET],
        responses={200: openapi.ClinicsSchema, **problems(422)},
    )
    def get(self, request: Request) -> HttpResponse:
        """Clinics that look at scalps, at most 100, by name. Search and distance need not come here: see `map/`."""
        found = clinics_found(
            request.GET.get("q", ""),
            box=_box(request.GET["bbox"]) if "bbox" in request.GET else None,
            specialist=_flag(request.GET.get("specialist", "false")),
            booking=_flag(request.GET.get("booking", "false")),
        )
        begin = _count(request.GET.get("offset", "0"))
        clinics = [clinic_json(clinic) for clinic in found[begin : begin + PAGE_SIZE]]
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
        """All clinics at once, always compressed by gzip, for whoever searches and sorts on the device."""
        packed = clinics_packed()
        if not {packed.etag, "*"}.isdisjoint(parse_etags(request.headers.get("If-None-Match", ""))):
            answer = HttpResponse(status=304)
        else:
            answer = HttpResponse(packed.body, content_type="application/json")
            answer["Content-Encoding"] = "gzip"
        answer["ETag"] = packed.etag
        answer["Cache-Control"] = "public, no-cache"
        return answer


def clinic_json(clinic: Clinic) -> dict[str, object]:
    columns = openapi.ClinicSchema().fields.keys() - {"sample"}
    return {**{name: getattr(clinic, name) for name in columns}, "sample": clinic.source == Source.SAMPLE}


def _box(word: str) -> Box:
    """Raises QueryInvalid."""
    if not re.fullmatch(openapi.BOX, word):
        raise QueryInvalid
    return Box(*map(float, word.split(",")))


def _flag(word: str) -> bool:
    """Raises QueryInvalid."""
    if word not in {"true", "false"}:
        raise QueryInvalid
    return word == "true"


def _count(word: str) -> int:
    """Raises QueryInvalid."""
    if not (word.isascii() and word.isdecimal() and len(word) <= OFFSET_MAX_DIGITS):
        raise QueryInvalid
    return int(word)
