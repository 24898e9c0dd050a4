"""The dashboard of the admin: what went on in a day, in plots and tables, with the way to the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
from backend.analyses.pages.words import label_word
from backend.analyses.states import Status
from backend.dashboard.selectors import Day, Grades, Hour, Spread, day, present
from ml.labels import GRADES, SYMPTOMS

#: In the order in which they are stacked.
STATUSES = (
    Status.SUCCEEDED, Status.REJECTED, Status.FAILED, Status.CANCELED, Status.EXPIRED, Status.RUNNING, Status.QUEUED,
)  # fmt: skip
EMPTY_CELL = "–"


@dataclass(frozen=True)
class TableRow:
    """A line of a table: its name, its numbers, where its rows are, and a strip."""

    name: str
    numbers: tuple[int, ...]
    address: str
    strip: SafeString


def dashboard(request: HttpRequest) -> HttpResponse:
    """For staff who may look at analyses. Raises PermissionDenied for others."""
    if not request.user.has_perm("analyses.view_analysis"):
        raise PermissionDenied
    seen, now = day(), present()
    context = {
        **admin.site.each_context(request),
        "title": _("Dashboard"),
        "now": now,
        "day": seen,
        "flower": settings.FLOWER_URL,
        "waiting": _rows_of("analysis", status__exact=Status.QUEUED),
        "running": _rows_of("analysis", status__exact=Status.RUNNING),
        "today": _counted(
            (str(status.label), seen.today[status], f"s-{status}", {"status__exact": status}, seen.midnight)
            for status in STATUSES
        ),
        "reasons": _reasons(seen),
        # A row without the name of its bundle is still counted, and its link needs a text.
        "bundles": _counted((f"{bundle or '–'} · {_('demo weights')}" if demo else bundle or "–", count, "s-succeeded",
                             {"bundle": bundle, "demo__exact": int(demo)}, seen.since)
                            for (bundle, demo), count in seen.bundles.most_common()),
        "findings": [
            (demo, _grades(grades, seen.since, demo))
            for demo, grades in ((False, seen.grades), (True, seen.grades_of_demo)) if grades
        ],
        "grade_names": [label_word(grade) for grade in GRADES],
        "statuses": [(status, status.label) for status in STATUSES],
        "spreads": [
            (_("Wait in the queue"), _spread(seen.queue_wait)),
            (_("Photo to result"), _spread(seen.end_to_end)),
        ],
        "hours": [_hour(hour) for hour in seen.hours],
        "plots": _plots(seen.hours),
    }  # fmt: skip
    return render(request, "admin/dashboard.html", context)


def _plots(hours: tuple[Hour, ...]) -> dict[str, SafeString]:
    names = [_clock(hour.begins) for hour in hours]

    def spread(title: str, spreads: Iterable[Spread]) -> SafeString:
        known = list(spreads)
        return plot.lines(title, names, {"most": [one.most for one in known], "half": [one.half for one in known]})

    return {
        "photos": plot.columns(
            _("Photos per hour by state"), names, [{f"s-{s}": hour.by_status[s] for s in STATUSES} for hour in hours]
        ),
        "queue_wait": spread(_("Wait in the queue by hour, in seconds"), (hour.queue_wait for hour in hours)),
        "end_to_end": spread(_("Photo to result by hour, in seconds"), (hour.end_to_end for hour in hours)),
    }


def _counted(lines: Iterable[tuple[str, int, str, dict[str, Any], datetime]]) -> list[TableRow]:
    """Rows of one number each with strips in proportion; from (name, count, class, filter, since)."""
    known = list(lines)
    most = max((count for _name, count, *_rest in known), default=0) or 1
    return [
        TableRow(name, (count,), _rows_of("analysis", since=since, **wanted), plot.strip([(kind, count)], most))
        for name, count, kind, wanted, since in known
    ]


def _reasons(seen: Day) -> list[TableRow]:
    told = [(Status.REJECTED, seen.rejections), (Status.FAILED, seen.failures)]
    return _counted(
        (code, count, f"s-{status}", {"status__exact": status, "code": code}, seen.since)
        for status, counts in told
        for code, count in counts.most_common()
    )


def _grades(grades: tuple[Grades, ...], since: datetime, demo: bool) -> list[TableRow]:
    rows = []
    for label, one in zip(SYMPTOMS, grades, strict=True):
        numbers = (*one.counts, one.abstained)
        kinds = [*(f"g-{grade}" for grade in range(len(GRADES))), "g-none"]
        address = _rows_of(
            "finding", symptom__exact=one.symptom, analysis__demo__exact=int(demo), analysis__created_at__gte=since
        )
        strip = plot.strip(zip(kinds, numbers, strict=True), sum(numbers) or 1)
        rows.append(TableRow(label_word(label), numbers, address, strip))
    return rows


def _hour(hour: Hour) -> dict[str, Any]:
    return {
        "name": _clock(hour.begins),
        "counts": [hour.by_status[status] for status in STATUSES],
        "spreads": [*_spread(hour.queue_wait), *_spread(hour.end_to_end)],
    }


def _spread(spread: Spread) -> tuple[str, str]:
    return _seconds(spread.half), _seconds(spread.most)


def _seconds(seconds: float | None) -> str:
    return EMPTY_CELL if seconds is None else number_format(round(seconds, 1), decimal_pos=1)


def _clock(time: datetime) -> str:
    return f"{timezone.localtime(time):%H}"


def _rows_of(model: str, since: datetime | None = None, **wanted: Any) -> str:
    """The address of the list of rows that these filters of the admin choose."""
    if since is not None:
        wanted["created_at__gte"] = since
    return f"{reverse(f'admin:analyses_{model}_changelist')}?{urlencode(wanted)}"
