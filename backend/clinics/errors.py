"""Errors for users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class ClinicUnknown(UserError):
    code = "clinic_unknown"
    status = 404
    detail = _("There is no clinic at this address. It may have been removed from the list.")


class QueryInvalid(UserError):
    """A parameter of a search makes no sense."""

    code = "query_invalid"
    status = 422
    detail = _(
        "bbox must be four degrees: west, south, east, north; specialist and booking true or false; offset a count."
    )
