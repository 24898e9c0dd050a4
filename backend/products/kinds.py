"""Kinds of products, in the order of the catalog."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ProductKind(TextChoices):
    SHAMPOO = "shampoo", _("Shampoo")
    CONDITIONER = "conditioner", _("Conditioner")
    SCRUB = "scrub", _("Scalp scrub")
    TONIC = "tonic", _("Scalp tonic")
    ESSENCE = "essence", _("Scalp essence")
    SUN = "sun", _("Sun care")
    TOOL = "tool", _("Brush or tool")
