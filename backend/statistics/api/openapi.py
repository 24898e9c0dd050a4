"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from backend.analyses.api.openapi_result import TYPE_KEYS
from backend.analyses.models import Age, Sex
from ml.labels import GRADES


def _share(text: str) -> serializers.FloatField:
    return serializers.FloatField(min_value=0, max_value=1, help_text=text)


class TypeShareSchema(serializers.Serializer):
    type = serializers.ChoiceField(TYPE_KEYS)
    share = _share("Share of the results of this group.")


class DegreeShareSchema(serializers.Serializer):
    degree = serializers.IntegerField(min_value=0, max_value=len(GRADES) - 1)
    share = _share("Share of the results of this group.")


class GroupSchema(serializers.Serializer):
    sex = serializers.ChoiceField(Sex.choices, allow_null=True, help_text="Null: all published groups.")
    age = serializers.ChoiceField(Age.choices, allow_null=True, help_text="Null: all published groups.")
    results = serializers.IntegerField(
        min_value=0, help_text="Approximate number; one result per photo, not per person."
    )
    median = serializers.IntegerField(
        min_value=0, max_value=len(GRADES) - 1, help_text="The degree that half of the results do not exceed."
    )
    types = TypeShareSchema(many=True)
    degrees = DegreeShareSchema(many=True)


class StatisticsSchema(serializers.Serializer):
    published_at = serializers.DateTimeField(
        allow_null=True, help_text="When results were last counted, once per day. Null: nothing is published yet."
    )
    demo = serializers.BooleanField(help_text="True: results of demo weights, which say nothing about anyone.")
    group = GroupSchema(allow_null=True, help_text="Null: fewer than 20 results, too few to publish.")


class PlaceSchema(serializers.Serializer):
    type = serializers.ChoiceField(TYPE_KEYS)
    degree = serializers.IntegerField(min_value=0, max_value=len(GRADES) - 1)
    lower = _share("Share of results with a lower degree.")
    same = _share("Share of results with the same degree.")
    higher = _share("Share of results with a higher degree.")


class OwnStatisticsSchema(StatisticsSchema):
    group = GroupSchema(
        allow_null=True, help_text="Results of the same sex and age group; if too few, of the same sex, or of all."
    )
    place = PlaceSchema(
        allow_null=True, help_text="This result compared with the group. Null: no group, or type or severity is open."
    )


SEX = OpenApiParameter("sex", {"type": "string", "enum": Sex.values}, description="Default: all.")
AGE = OpenApiParameter("age", {"type": "string", "enum": Age.values}, description="Default: all.")
