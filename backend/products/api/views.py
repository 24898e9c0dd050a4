"""The API of products: the catalogue, what is suggested after a report, and that a link was followed."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi import problems
from backend.analyses.selectors.status import analysis_status
from backend.config.errors import FieldError, InvalidFields
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.products import words
from backend.products.api import openapi
from backend.products.models import Product
from backend.products.selectors.catalogue import catalogue, product_get
from backend.products.selectors.suggestions import suggestions
from backend.products.services.counting import click_count, shows_count


class ProductCollection(APIView):
    @extend_schema(
        operation_id="products",
        parameters=[openapi.SKIN],
        responses={200: openapi.ProductsSchema, **problems(422)},
    )
    def get(self, request: Request) -> HttpResponse:
        """The catalogue, by kind and name."""
        products = [product_json(product) for product in catalogue(request.GET.get("skin"))]
        return JsonResponse({"products": products}, json_dumps_params={"ensure_ascii": False})


class AnalysisProducts(APIView):
    @extend_schema(
        operation_id="analysis_products",
        responses={200: openapi.SuggestionsSchema, **problems(404, 409, 410)},
    )
    def get(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """At most four products that fit a report, why, and whether a doctor comes first. Show them as they come."""
        shown = suggestions(analysis_status(analysis_id))
        if request.method == "GET":
            shows_count(analysis_id, shown, client_address(request._request))
        told = {
            "doctor": words.doctor_words(shown.seen),
            "products": [
                {**product_json(one.product), "why": words.why_words(one.fit, shown.seen)} for one in shown.suggested
            ],
        }
        return private(JsonResponse(told, json_dumps_params={"ensure_ascii": False}))


class ProductClick(APIView):
    @extend_schema(
        operation_id="product_click",
        request=openapi.ClickSchema,
        responses={
            204: OpenApiResponse(description="It was heard. Whether it counts is not told."),
            **problems(400, 404, 409, 410, 415, 422),
        },
    )
    def post(self, request: Request, product_id: int) -> HttpResponse:
        """Say that somebody followed the link of a suggested product. Nothing of them is kept."""
        product = product_get(product_id)
        click_count(_analysis(request.data), product, client_address(request._request))
        return private(HttpResponse(status=204))


def product_json(product: Product) -> dict[str, object]:
    return {
        "id": product.pk,
        "name": product.said("name"),
        "maker": product.maker,
        "kind": product.kind,
        "ingredients": product.said("ingredients"),
        "types": product.suits_types,
        "symptoms": product.suits_signs,
        "avoid": words.avoid_words(product),
        "url": product.url,
        "sample": product.sample,
    }


def _analysis(given: object) -> UUID:
    """Raises InvalidFields."""
    word = given.get("analysis") if isinstance(given, dict) else None
    try:
        return UUID(word) if isinstance(word, str) else UUID("")
    except ValueError:
        wrong = FieldError("analysis", "invalid", _("Please send the id of the analysis."))
        raise InvalidFields(wrong.detail, [wrong]) from None
