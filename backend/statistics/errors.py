"""Errors for users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class GroupUnknown(UserError):
    code = "group_unknown"
    status = 422
    detail = _("This group doesn’t exist: sex must be male, female or undisclosed, and age a decade from 10s to 80s.")
