"""The statistics for staff: exact counts by month, to filter, view and export."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export import resources

from backend.analyses.pages import plot
from backend.analyses.pages.table import TableRow
from backend.analyses.presentation.words import label_word
from backend.operations.admin import Exported
from backend.statistics.models import Publication, Tally
from ml.labels import GRADES, SCALP_TYPES

PLOT_MONTHS = 24


class TallyResource(resources.ModelResource):
    class Meta:
        model = Tally
        exclude = ("id",)


@admin.register(Tally)
class TallyAdmin(Exported):
    """The filtered rows, with a plot over time and the shares of types and degrees above them."""

    resource_classes = [TallyResource]
    change_list_template = "admin/statistics.html"
    list_display = ("year_month", "sex", "age", "skin", "pred", "demo", "count")
    # `date_hierarchy` would call Python for the year of each row on SQLite.
    list_filter = ("demo", "sex", "age", "skin", "pred", ("month", admin.AllValuesFieldListFilter))
    ordering = ("-month", "-count")
    list_display_links = None
    show_full_result_count = False
    list_per_page = 25

    @admin.display(description=_("month"), ordering="month", empty_value="–")
    def year_month(self, tally: Tally) -> str | None:
        return date_format(tally.month, "Y-m") if tally.month else None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:  # Missing after a redirect because of invalid filters.
            context.update(_summary(context["cl"].queryset))
        return response


def _summary(tallies: Any) -> dict[str, Any]:
    skins: Counter[str] = Counter()
    preds: Counter[int] = Counter()
    months: defaultdict[date, Counter[int]] = defaultdict(Counter)
    for month, skin, pred, count in tallies.order_by().values_list("month", "skin", "pred").annotate(Sum("count")):
        skins[skin] += count
        preds[pred] += count
        if month:
            months[month][pred] += count
    results = preds.total()
    shown = sorted(months.items())[-PLOT_MONTHS:]
    return {
        "publication": Publication.objects.filter(pk=1).first(),
        "results": results,
        "skins": [_table_row(label_word(label), skins[label.key], "half", results) for label in SCALP_TYPES],
        "preds": [_table_row(label_word(label), preds[n], f"g-{n}", results) for n, label in enumerate(GRADES)],
        "months": plot.columns(
            gettext("Results per month by severity"),
            [date_format(month, "Y-m") for month, _stack in shown],
            [{f"g-{n}": stack[n] for n in range(len(GRADES))} for _month, stack in shown],
        )
        if shown
        else "",
        "grade_names": [label_word(grade) for grade in GRADES],
    }


def _table_row(name: str, count: int, color: str, results: int) -> TableRow:
    return TableRow(name, (number_format(count, force_grouping=True),), plot.strip([(color, count)], results or 1))
