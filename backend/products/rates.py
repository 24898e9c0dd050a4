"""The admin page with impressions, clicks and click rates by product and scalp type."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.analyses.pages.table import TableRow
from backend.analyses.presentation.words import label_word, type_word
from backend.products.bandit import EVIDENCE_DAYS
from backend.products.selectors.evidence import Rate, rates
from ml.labels import SCALP_TYPES

#: The bar of an interval: its width, the rate at its right end, and the width of the mark.
BAR_WIDTH, MAX_RATE, MARK_WIDTH = 200, 0.4, 1.5


def rates_page(request: HttpRequest) -> HttpResponse:
    """For staff who may view clicks. Raises PermissionDenied for others."""
    if not request.user.has_perm("products.view_click"):
        raise PermissionDenied
    chosen = next((label for label in SCALP_TYPES if label.key == request.GET.get("skin")), None)
    found = rates(chosen.korean if chosen else "", EVIDENCE_DAYS)
    context = {
        **admin.site.each_context(request),
        "title": _("Product impressions and clicks"),
        "rows": [_rate_row(rate) for rate in found],
        "days": EVIDENCE_DAYS,
        "skins": [(label.key, label_word(label)) for label in SCALP_TYPES],
        "chosen": chosen.key if chosen else "",
        "columns": [(_("Impressions"), ""), (_("Clicks"), ""), (_("Rate"), ""), (_("Interval"), "")],
        "totals": [sum(rate.shows for rate in found), sum(rate.clicks for rate in found), "", ""],
    }
    return render(request, "admin/rates.html", context)


def _rate_row(rate: Rate) -> TableRow:
    low, high = rate.interval
    return TableRow(
        name=rate.product.localized("name"),
        url=reverse("admin:products_product_change", args=[rate.product.pk]),
        text=type_word(rate.skin),
        cells=(
            rate.shows,
            rate.clicks,
            _percent(rate.share) if rate.share is not None else "–",
            f"{_percent(low)} – {_percent(high)}",
        ),
        bar=_interval_bar(low, high, rate.share or 0.0),
    )


def _interval_bar(low: float, high: float, share: float) -> SafeString:
    """The interval as a bar, with a mark at the rate itself."""
    return format_html(
        '<svg class="interval" viewBox="0 0 {0} 12" aria-hidden="true" preserveAspectRatio="none">'
        '<line x1="0" y1="6" x2="{0}" y2="6"/><rect x="{1}" y="3" width="{2}" height="6"/>'
        '<rect class="at" x="{3}" y="0" width="{4}" height="12"/></svg>',
        BAR_WIDTH,
        _svg_number(_bar_x(low)),
        _svg_number(max(1.0, _bar_x(high) - _bar_x(low))),
        _svg_number(min(_bar_x(share), BAR_WIDTH - MARK_WIDTH)),
        MARK_WIDTH,
    )


def _percent(share: float) -> str:
    return f"{number_format(100 * share, decimal_pos=1)} %"


def _bar_x(share: float) -> float:
    """The position of a rate on the bar, which ends at `MAX_RATE`."""
    return min(share, MAX_RATE) / MAX_RATE * BAR_WIDTH


def _svg_number(number: float) -> str:
    return f"{number:.1f}"
