"""Serializers of the index for the OpenAPI document: documentation only, never run."""

from __future__ import annotations

from rest_framework import serializers

from backend.analyses.api.openapi import FAILURE_CODES, REJECTION_CODES
from backend.analyses.api.openapi_result import LOCALIZED


class LimitsSchema(serializers.Serializer):
    photo_types = serializers.ListField(child=serializers.CharField(), help_text="Media types.")
    photo_max_bytes = serializers.IntegerField()
    photo_max_pixels = serializers.IntegerField()
    photo_min_side = serializers.IntegerField(help_text="Shortest side in pixels.")
    photo_max_aspect = serializers.FloatField(help_text="Long side over short side.")
    photo_retention_hours = serializers.FloatField(help_text="After which a photo is deleted.")
    min_age = serializers.IntegerField(help_text="In years.")
    max_wait_seconds = serializers.FloatField(help_text="Longest N of `Prefer: wait=N`.")


class ChoiceSchema(serializers.Serializer):
    key = serializers.CharField()
    label = serializers.CharField(help_text=LOCALIZED)  # type: ignore[assignment]  # a field, not the serializer's own


class ChoicesSchema(serializers.Serializer):
    sex = ChoiceSchema(many=True)
    age = ChoiceSchema(many=True)
    device = ChoiceSchema(many=True)
    symptom = ChoiceSchema(many=True)
    grade = ChoiceSchema(many=True)
    scalp_type = ChoiceSchema(many=True)


class ConsentFactSchema(serializers.Serializer):
    heading = serializers.CharField()
    text = serializers.CharField()


class ConsentSchema(serializers.Serializer):
    """What to show before a photo is sent, in the user's language. Nothing may be ticked in advance."""

    version = serializers.DateField(help_text="Changes whenever people consent to something else.")
    heading = serializers.CharField()
    facts = ConsentFactSchema(many=True)
    agreement = serializers.CharField(help_text="The label of the checkbox.")


class ErrorCodeSchema(serializers.Serializer):
    code = serializers.CharField()
    status = serializers.IntegerField(help_text="The HTTP status that it comes with.")
    detail = serializers.CharField(help_text=LOCALIZED)


class IndexSchema(serializers.Serializer):
    name = serializers.CharField()
    version = serializers.CharField(help_text="Of the API.")
    languages = serializers.ListField(child=serializers.CharField(), help_text="For `Accept-Language`.")
    links = serializers.DictField(child=serializers.CharField(), help_text="Paths as URI templates (RFC 6570).")
    limits = LimitsSchema()
    choices = ChoicesSchema()
    consent = ConsentSchema()
    errors = ErrorCodeSchema(many=True, help_text="All codes of errors.")  # type: ignore[assignment]
    rejections = serializers.ListField(
        child=serializers.ChoiceField(REJECTION_CODES), help_text="All codes of rejections."
    )
    failures = serializers.ListField(child=serializers.ChoiceField(FAILURE_CODES), help_text="All codes of failures.")
