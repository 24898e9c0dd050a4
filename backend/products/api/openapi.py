"""Serializers for the OpenAPI document alone: documentation only, never run."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from backend.products.bandit import SUGGESTION_COUNT
from backend.products.kinds import ProductKind
from backend.products.rules import SIGNS, TYPES
from ml.labels import SCALP_TYPES


class ProductSchema(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(help_text="In the reader's language.")
    maker = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(ProductKind.values)
    ingredients = serializers.CharField(allow_blank=True, help_text="In the reader's language.")
    types = serializers.ListField(child=serializers.ChoiceField(TYPES), help_text="Scalp types that it suits.")
    symptoms = serializers.ListField(child=serializers.ChoiceField(SIGNS), help_text="Signs that it suits.")
    avoid = serializers.CharField(allow_blank=True, help_text="What to avoid it with, in the reader's language.")
    url = serializers.URLField(help_text="Where it leads; say so by `click/` when somebody follows it.")
    sample = serializers.BooleanField(help_text="True: an invented product, to try the service with.")


class ProductsSchema(serializers.Serializer):
    products = ProductSchema(many=True, help_text="By kind and name; nobody can pay for a place.")


class SuggestedProductSchema(ProductSchema):
    why = serializers.CharField(help_text="Why it is suggested, in the reader's language.")


class SuggestionsSchema(serializers.Serializer):
    doctor = serializers.CharField(
        allow_blank=True, help_text="Why a doctor comes first, to be said before any product; empty where none has to."
    )
    products = serializers.ListField(
        child=SuggestedProductSchema(), max_length=SUGGESTION_COUNT, help_text="In this order."
    )


class ClickSchema(serializers.Serializer):
    analysis = serializers.UUIDField(help_text="The one whose suggestions were looked at.")


SKIN = OpenApiParameter(
    "skin",
    {"type": "string", "enum": [*TYPES, *(label.korean for label in SCALP_TYPES)]},
    description="Only what suits this scalp type: its key or Korean word.",
)
