"""Everything that is stored about an analysis, as JSON. Keys are the names of the columns."""

from __future__ import annotations

import base64
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import Analysis

NOT_INCLUDED: tuple[tuple[str, Promise], ...] = (
    ("photo", _("The photo is a separate file. You can download it from the address above for as long as we keep it.")),
    ("original", _("The original file, its name and any data from the camera were never stored.")),
    ("logs", _("Logs contain the number of the analysis and when things happened, but none of your answers.")),
    ("sender", _("We do not know who sent it: there are no accounts, and no device address is stored.")),
    ("clicks", _("Clicks on products are stored with nothing that leads to a report, so no one can find yours.")),
)


def export_json(analysis: Analysis, request: HttpRequest) -> dict[str, Any]:
    """The JSON of a row from `analysis_for_export`. Times are ISO 8601, maps are base64."""
    share = getattr(analysis, "share", None)
    photo = reverse("api:photo", args=[analysis.pk])
    return {
        "analysis": {
            **_columns(analysis, without={"photo", "human"}),
            "photo": request.build_absolute_uri(photo) if analysis.photo else None,
        },
        "findings": [_columns(finding, without={"id", "analysis"}) for finding in analysis.findings.all()],
        "human": analysis.human and _columns(analysis.human),
        "feedback": [_columns(opinion, without={"id", "analysis"}) for opinion in analysis.feedback.all()],
        "share": share
        and {
            **_columns(share, without={"analysis"}),
            "url": request.build_absolute_uri(reverse("pages:shared", args=[share.pk])),
        },
        "retention": {
            "photo_hours": settings.RETENTION_HOURS,
            "photo_purged_after": analysis.purge_at,
            "rest": str(_("Everything else is kept until you erase the analysis.")),
        },
        "not_included": [{"what": what, "why": str(why)} for what, why in NOT_INCLUDED],
    }


def _columns(row: Model, without: Collection[str] = ()) -> dict[str, Any]:
    """All columns of a row, so that new ones are included automatically."""
    fields = row._meta.concrete_fields
    values = {field.db_column or field.name: field.value_from_object(row) for field in fields}
    return {name: _plain(value) for name, value in values.items() if name not in without}


def _plain(value: Any) -> Any:
    return base64.b64encode(bytes(value)).decode() if isinstance(value, (bytes, memoryview)) else value
