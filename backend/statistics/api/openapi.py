"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from backend.analyses.models import Age, Sex
from ml.labels import GRADES, SCALP_TYPES

TYPES = [label.key for label in SCALP_TYPES]


def _share(text: str) -> serializers.FloatField:
    return serializers.FloatField(min_value=0, max_value=1, help_text=text)


class TypeShareSchema(serializers.Serializer):
    type = serializers.ChoiceField(TYPES)
    share = _share("Of the results of this group.")


class DegreeShareSchema(serializers.Serializer):
    degree = serializers.IntegerField(min_value=0, max_value=len(GRADES) - 1)
    share = _share("Of the results of this group.")


class GroupSchema(serializers.Serializer):
    sex = serializers.ChoiceField(Sex.choices, allow_null=True, help_text="Null: all that are shown.")
    age = serializers.ChoiceField(Age.choices, allow_null=True, help_text="Null: all that are shown.")
    results = serializers.IntegerField(min_value=0, help_text="About so many; a photo each, not a person each.")
    median = serializers.IntegerField(
        min_value=0, max_value=len(GRADES) - 1, help_text="The degree that half of the results do not exceed."
    )
    types = TypeShareSchema(many=True)
    degrees = DegreeShareSchema(many=True)


class StatisticsSchema(serializers.Serializer):
    published_at = serializers.DateTimeField(
        allow_null=True, help_text="When results were last counted; once a day. Null: nothing is shown yet."
    )
    demo = serializers.BooleanField(help_text="True: counted from demo weights, which say nothing of anybody.")
    group = GroupSchema(allow_null=True, help_text="Null: fewer than 20 results, which are not shown.")


class PlaceSchema(serializers.Serializer):
    type = serializers.ChoiceField(TYPES)
    degree = serializers.IntegerField(min_value=0, max_value=len(GRADES) - 1)
    lower = _share("Results of a lower degree.")
    same = _share("Results of the same degree.")
    higher = _share("Results of a higher degree.")


class OwnStatisticsSchema(StatisticsSchema):
    group = GroupSchema(
        allow_null=True, help_text="Of the same sex and age; where these are too few, of the same sex, or all."
    )
    place = PlaceSchema(
        allow_null=True, help_text="Where this result stands in the group. Null: no group, or the type is open."
    )


SEX = OpenApiParameter("sex", {"type": "string", "enum": Sex.values}, description="Left out: all.")
AGE = OpenApiParameter("age", {"type": "string", "enum": Age.values}, description="Left out: all.")
