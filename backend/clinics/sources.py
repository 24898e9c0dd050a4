"""The lists that clinics come from."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Source(TextChoices):
    HIRA = "hira", _("Health Insurance Review & Assessment Service")
    LOCALDATA = "localdata", _("license list (LOCALDATA)")
    CSV = "csv", _("list imported by an admin")
    SAMPLE = "sample", _("sample: an invented clinic")
