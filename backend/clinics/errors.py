"""Errors for users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class ClinicUnknown(UserError):
    code = "clinic_unknown"
    status = 404
    detail = _("There’s no clinic at this address. It may have been removed from the list.")


class QueryInvalid(UserError):
    """A parameter of a search is invalid."""

    code = "query_invalid"
    status = 422
    detail = _(
        "bbox must be four values in degrees (west, south, east, north), specialist and booking true or false, and "
        "offset a whole number."
    )
