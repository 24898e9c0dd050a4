"""Serializers for the OpenAPI document alone; views only read column names and a pattern from here."""

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
    specialists = serializers.IntegerField(min_value=0, allow_null=True, help_text="Dermatologists; null: not told.")
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    booking_url = serializers.CharField(allow_blank=True, help_text="Where to ask for an appointment.")
    sample = serializers.BooleanField(help_text="True: an invented clinic, to try the service with.")


class ClinicsSchema(serializers.Serializer):
    count = serializers.IntegerField(min_value=0, help_text="Of all that were found.")
    clinics = ClinicSchema(many=True, help_text="By name; nobody can pay for a place.")


class PackedClinicsSchema(serializers.Serializer):
    columns = serializers.ListField(child=serializers.ChoiceField(MAP_COLUMNS))
    clinics = serializers.ListField(child=serializers.ListField(), help_text="A row each, in the order of `columns`.")


_DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,12})?"
BOX = f"^{_DEGREES}(,{_DEGREES}){{3}}$"
BBOX = OpenApiParameter(
    "bbox",
    {"type": "string", "pattern": BOX},
    description="Degrees: west, south, east, north, separated by commas.",
)
WORDS = OpenApiParameter("q", str, description="Words of name, address or district; all of them must be there.")
SPECIALIST = OpenApiParameter("specialist", bool, description="True: only where a dermatologist works.")
BOOKING = OpenApiParameter("booking", bool, description="True: only those that take bookings at an address of theirs.")
OFFSET = OpenApiParameter(
    "offset",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    description="So many are left out at the beginning.",
)
