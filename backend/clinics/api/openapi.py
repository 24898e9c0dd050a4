"""Serializers for the OpenAPI document; the views use only their column names and a pattern."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from backend.clinics.selectors.clinics import MAP_COLUMNS


class ClinicSchema(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField(allow_blank=True)
    province = serializers.CharField(allow_blank=True)
    district = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    website = serializers.CharField(allow_blank=True)
    specialists = serializers.IntegerField(
        min_value=0, allow_null=True, help_text="Number of dermatologists; null: not stated."
    )
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    booking_url = serializers.CharField(allow_blank=True, help_text="The clinic's booking page.")
    sample = serializers.BooleanField(help_text="True: an invented clinic, for trying out the service.")


class ClinicsSchema(serializers.Serializer):
    count = serializers.IntegerField(min_value=0, help_text="Number of clinics that match.")
    clinics = ClinicSchema(many=True, help_text="By name; no one can pay for a place.")


class PackedClinicsSchema(serializers.Serializer):
    columns = serializers.ListField(child=serializers.ChoiceField(MAP_COLUMNS))
    clinics = serializers.ListField(
        child=serializers.ListField(), help_text="One row per clinic, in the order of `columns`."
    )


_DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,12})?"
BBOX_PATTERN = f"^{_DEGREES}(,{_DEGREES}){{3}}$"
BBOX = OpenApiParameter(
    "bbox",
    {"type": "string", "pattern": BBOX_PATTERN},
    description="Degrees: west, south, east, north, separated by commas.",
)
WORDS = OpenApiParameter("q", str, description="Words that must all occur in name, address or district.")
SPECIALIST = OpenApiParameter("specialist", bool, description="True: only clinics with a dermatologist.")
BOOKING = OpenApiParameter("booking", bool, description="True: only clinics with online booking.")
OFFSET = OpenApiParameter(
    "offset",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    description="Number of clinics to skip.",
)
