"""Errors for users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class ProductUnknown(UserError):
    code = "product_unknown"
    status = 404
    detail = _("There’s no product at this address. It may have been removed from the catalog.")


class SkinUnknown(UserError):
    """The scalp type does not exist."""

    code = "query_invalid"
    status = 422
    detail = _("skin must be the key or the Korean word of a scalp type.")
