"""The dashboard in the admin: the last 24 hours in plots and tables, with links to the rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.analyses.pages import plot
from backend.analyses.pages.table import TableRow
from backend.analyses.presentation.words import label_word
from backend.analyses.states import Status
from backend.dashboard.selectors import Durations, GradeCounts, Hour, LastDay, current_state, last_day
from ml.labels import GRADES, SYMPTOMS

#: In stacking order.
STATUSES = (
    Status.SUCCEEDED, Status.REJECTED, Status.FAILED, Status.CANCELED, Status.EXPIRED, Status.RUNNING, Status.QUEUED,
)  # fmt: skip
EMPTY_CELL = "–"


def dashboard(request: HttpRequest) -> HttpResponse:
    """For staff who may view analyses. Raises PermissionDenied for others."""
    if not request.user.has_perm("analyses.view_analysis"):
        raise PermissionDenied
    day, now = last_day(), current_state()
    context = {
        **admin.site.each_context(request),
        "title": _("Dashboard"),
        "now": now,
        "flower": settings.FLOWER_URL,
        "waiting": _changelist_url("analysis", status__exact=Status.QUEUED),
        "today": _count_rows(
            (str(status.label), day.today[status], f"s-{status}", {"status__exact": status}, day.midnight)
            for status in STATUSES
        ),
        "reasons": _reason_rows(day),
        # Results whose bundle has no name are counted too, and their link needs a text.
        "bundles": _count_rows((f"{bundle or '–'} · {_('demo weights')}" if demo else bundle or "–", count,
                                "s-succeeded", {"bundle": bundle, "demo__exact": int(demo)}, day.since)
                               for (bundle, demo), count in day.bundles.most_common()),
        "findings": [
            (demo, _grade_rows(grades, day.since, demo))
            for demo, grades in ((False, day.grades), (True, day.grades_of_demo)) if grades
        ],
        "grade_columns": [
            *((label_word(grade), f"g-{number}") for number, grade in enumerate(GRADES)), (_("Abstained"), "g-none"),
        ],
        "statuses": [(status, status.label) for status in STATUSES],
        "durations": [
            (_("Wait in the queue"), _format_durations(day.queue_wait)),
            (_("Photo to result"), _format_durations(day.end_to_end)),
        ],
        "hours": [_hour_cells(hour) for hour in day.hours],
        "plots": _plots(day.hours),
    }  # fmt: skip
    return render(request, "admin/dashboard.html", context)


def _plots(hours: tuple[Hour, ...]) -> dict[str, SafeString]:
    names = [_hour_name(hour.begins) for hour in hours]

    def draw(title: str, durations: Iterable[Durations]) -> SafeString:
        values = list(durations)
        return plot.lines(title, names, {"most": [one.p95 for one in values], "half": [one.median for one in values]})

    return {
        "photos": plot.columns(
            _("Photos per hour by state"), names, [{f"s-{s}": hour.by_status[s] for s in STATUSES} for hour in hours]
        ),
        "queue_wait": draw(_("Wait in the queue by hour, in seconds"), (hour.queue_wait for hour in hours)),
        "end_to_end": draw(_("Photo to result by hour, in seconds"), (hour.end_to_end for hour in hours)),
    }


def _count_rows(counts: Iterable[tuple[str, int, str, dict[str, Any], datetime]]) -> list[TableRow]:
    """Rows with one number and a bar in proportion to the largest; from (name, count, class, filters, since)."""
    known = list(counts)
    largest = max((count for _name, count, *_rest in known), default=0) or 1
    return [
        TableRow(name, (count,), plot.strip([(color, count)], largest), _changelist_url("analysis", since, **filters))
        for name, count, color, filters, since in known
    ]


def _reason_rows(day: LastDay) -> list[TableRow]:
    reasons = [(Status.REJECTED, day.rejections), (Status.FAILED, day.failures)]
    return _count_rows(
        (code, count, f"s-{status}", {"status__exact": status, "code": code}, day.since)
        for status, counts in reasons
        for code, count in counts.most_common()
    )


def _grade_rows(grades: tuple[GradeCounts, ...], since: datetime, demo: bool) -> list[TableRow]:
    rows = []
    for label, one in zip(SYMPTOMS, grades, strict=True):
        counts = (*one.counts, one.abstained)
        colors = [*(f"g-{grade}" for grade in range(len(GRADES))), "g-none"]
        url = _changelist_url(
            "finding", symptom__exact=one.symptom, analysis__demo__exact=int(demo), analysis__created_at__gte=since
        )
        bar = plot.strip(zip(colors, counts, strict=True), sum(counts) or 1)
        rows.append(TableRow(label_word(label), counts, bar, url))
    return rows


def _hour_cells(hour: Hour) -> dict[str, Any]:
    return {
        "name": _hour_name(hour.begins),
        "counts": [hour.by_status[status] for status in STATUSES],
        "durations": [*_format_durations(hour.queue_wait), *_format_durations(hour.end_to_end)],
    }


def _format_durations(durations: Durations) -> tuple[str, str]:
    return _format_seconds(durations.median), _format_seconds(durations.p95)


def _format_seconds(seconds: float | None) -> str:
    return EMPTY_CELL if seconds is None else number_format(round(seconds, 1), decimal_pos=1)


def _hour_name(time: datetime) -> str:
    return f"{timezone.localtime(time):%H}"


def _changelist_url(model: str, since: datetime | None = None, **filters: Any) -> str:
    """The URL of the admin's list of rows with these filters."""
    if since is not None:
        filters["created_at__gte"] = since
    return f"{reverse(f'admin:analyses_{model}_changelist')}?{urlencode(filters)}"
