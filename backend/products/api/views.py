"""The products API: the catalog, suggestions for a report, and clicks."""

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
from backend.products.selectors.catalog import catalog, product_get
from backend.products.selectors.suggestions import suggestions
from backend.products.services.counting import click_count, shows_count


class ProductCollection(APIView):
    @extend_schema(
        operation_id="products",
        parameters=[openapi.SKIN],
        responses={200: openapi.ProductsSchema, **problems(422)},
    )
    def get(self, request: Request) -> HttpResponse:
        """The catalog, by kind and name."""
        products = [product_json(product) for product in catalog(request.GET.get("skin"))]
        return JsonResponse({"products": products}, json_dumps_params={"ensure_ascii": False})


class AnalysisProducts(APIView):
    @extend_schema(
        operation_id="analysis_products",
        responses={200: openapi.SuggestionsSchema, **problems(404, 409, 410)},
    )
    def get(self, request: Request, analysis_id: UUID) -> HttpResponse:
        """Up to four products that fit a report, with reasons, and whether to see a doctor first. Keep the order."""
        shown = suggestions(analysis_status(analysis_id))
        if request.method == "GET":
            shows_count(analysis_id, shown, client_address(request._request))
        body = {
            "doctor": words.doctor_text(shown.facts),
            "products": [
                {**product_json(one.product), "why": words.reason_text(one.fit, shown.facts)} for one in shown.suggested
            ],
        }
        return private(JsonResponse(body, json_dumps_params={"ensure_ascii": False}))


class ProductClick(APIView):
    @extend_schema(
        operation_id="product_click",
        request=openapi.ClickSchema,
        responses={
            204: OpenApiResponse(description="The click was received. The response does not say whether it counts."),
            **problems(400, 404, 409, 410, 415, 422),
        },
    )
    def post(self, request: Request, product_id: int) -> HttpResponse:
        """Report that a reader followed the link of a suggested product. Nothing about the reader is stored."""
        product = product_get(product_id)
        click_count(_parse_analysis(request.data), product, client_address(request._request))
        return private(HttpResponse(status=204))


def product_json(product: Product) -> dict[str, object]:
    return {
        "id": product.pk,
        "name": product.localized("name"),
        "maker": product.maker,
        "kind": product.kind,
        "ingredients": product.localized("ingredients"),
        "types": product.suits_types,
        "symptoms": product.suits_signs,
        "avoid": words.avoid_text(product),
        "url": product.url,
        "sample": product.sample,
    }


def _parse_analysis(data: object) -> UUID:
    """Raises InvalidFields."""
    value = data.get("analysis") if isinstance(data, dict) else None
    try:
        return UUID(value) if isinstance(value, str) else UUID("")
    except ValueError:
        error = FieldError("analysis", "invalid", _("Please send the id of the analysis."))
        raise InvalidFields(error.detail, [error]) from None
