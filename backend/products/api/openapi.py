"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from backend.analyses.api.openapi_result import SYMPTOM_KEYS, TYPE_KEYS
from backend.products.bandit import SUGGESTION_COUNT
from backend.products.kinds import ProductKind
from backend.products.rules import TYPES
from ml.labels import SCALP_TYPES


class ProductSchema(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="In the reader's language.")
    maker = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(ProductKind.values)
    ingredients = serializers.CharField(allow_blank=True, help_text="In the reader's language.")
    types = serializers.ListField(child=serializers.ChoiceField(TYPE_KEYS), help_text="Scalp types that it suits.")
    symptoms = serializers.ListField(child=serializers.ChoiceField(SYMPTOM_KEYS), help_text="Signs that it suits.")
    avoid = serializers.CharField(allow_blank=True, help_text="What to avoid it with, in the reader's language.")
    url = serializers.URLField(help_text="The product's page. Report to `click/` when a reader follows it.")
    sample = serializers.BooleanField(help_text="True: an invented product, for trying out the service.")


class ProductsSchema(serializers.Serializer):
    products = ProductSchema(many=True, help_text="By kind and name; no one can pay for a place.")


class SuggestedProductSchema(ProductSchema):
    why = serializers.CharField(help_text="Why it is suggested, in the reader's language.")


class SuggestionsSchema(serializers.Serializer):
    doctor = serializers.CharField(
        allow_blank=True,
        help_text="Why to see a doctor first, to be shown above all products; empty if not needed.",
    )
    products = serializers.ListField(
        child=SuggestedProductSchema(), max_length=SUGGESTION_COUNT, help_text="To be shown in this order."
    )


class ClickSchema(serializers.Serializer):
    analysis = serializers.UUIDField(help_text="The analysis whose suggestions the reader saw.")


SKIN = OpenApiParameter(
    "skin",
    {"type": "string", "enum": [*TYPES, *(label.korean for label in SCALP_TYPES)]},
    description="Only products that suit this scalp type, given by its key or Korean word.",
)
