"""The products pages: the catalog, suggestions for a report, and the redirect to a product."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from backend.analyses.presentation.report import Report
from backend.analyses.selectors.status import analysis_status
from backend.config.errors import UserError
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.products import words
from backend.products.models import Product
from backend.products.selectors import suggestions as selected
from backend.products.selectors.catalog import catalog_by_kind, catalog_is_sample, product_get
from backend.products.services.counting import click_count, shows_count


@require_safe
def catalog(request: HttpRequest) -> HttpResponse:
    """All products by kind and name. Views of this page are not counted."""
    kinds = [(kind.label, [_product_card(product) for product in products]) for kind, products in catalog_by_kind()]
    return render(request, "pages/products.html", {"kinds": kinds, "samples": catalog_is_sample()})


@require_safe
def suggestions(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """Up to four products that fit a report, with reasons; above them, whether to see a doctor first."""
    try:
        status = analysis_status(analysis_id)
        shown = selected.suggestions(status)
    except UserError as error:
        return _render_problem(request, error)
    assert status.result is not None, "suggestions() raises without a result"
    if _is_counted(request):
        shows_count(analysis_id, shown, client_address(request))
    context = {
        "analysis": status,
        "report": Report(status.result),
        "doctor": words.doctor_text(shown.facts),
        "severe": shown.facts.severe,
        "cards": [
            _product_card(one.product) | {"why": words.reason_text(one.fit, shown.facts)} for one in shown.suggested
        ],
        "samples": any(one.product.sample for one in shown.suggested),
    }
    return private(render(request, "pages/suggestions.html", context))


@require_safe
def go(request: HttpRequest, analysis_id: UUID, product_id: int) -> HttpResponse:
    """Redirect to a product's stored link; no other address can be reached through this."""
    try:
        product = product_get(product_id)
        if _is_counted(request):
            click_count(analysis_id, product, client_address(request))
    except UserError as error:
        return _render_problem(request, error)
    return private(HttpResponseRedirect(product.url))


def _product_card(product: Product) -> dict[str, object]:
    return {
        "product": product,
        "name": product.localized("name"),
        "ingredients": product.localized("ingredients"),
        "suits": words.suits_lines(product),
        "avoid": words.avoid_lines(product),
    }


def _is_counted(request: HttpRequest) -> bool:
    """Whether this request counts as a view: a reader opened the page, rather than a browser prefetching it."""
    return request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")


def _render_problem(request: HttpRequest, error: UserError) -> HttpResponse:
    context = {"status": error.status, "detail": error.detail}
    return private(render(request, "problem.html", context, status=error.status))
