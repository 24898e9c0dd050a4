"""Dermatology clinics from public registers."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.clinics.registers.coordinates import LATITUDES, LONGITUDES
from backend.clinics.romanization import romanize
from backend.clinics.search_text import search_text
from backend.clinics.sources import Source
from backend.operations.web_addresses import validate_web_address


class Clinic(models.Model):
    """One clinic. No column can put one ahead of another, so no place can be bought."""

    key = models.CharField(
        _("key of the source"), max_length=160, unique=True, help_text=_("identifies the clinic in its source")
    )
    source = models.CharField(_("source"), max_length=10, choices=Source)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    province = models.CharField(_("province"), max_length=40, blank=True)
    district = models.CharField(_("district"), max_length=40, blank=True)
    address = models.CharField(_("address"), max_length=240, blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    website = models.URLField(_("website"), max_length=240, blank=True, validators=[validate_web_address])
    #: Number of dermatologists; None if the source does not state it.
    specialists = models.PositiveSmallIntegerField(_("dermatologists"), null=True, blank=True)
    longitude = models.FloatField(
        _("longitude"), validators=[MinValueValidator(LONGITUDES[0]), MaxValueValidator(LONGITUDES[1])]
    )
    latitude = models.FloatField(
        _("latitude"), validators=[MinValueValidator(LATITUDES[0]), MaxValueValidator(LATITUDES[1])]
    )
    #: Set by admins, and never changed by imports.
    booking_url = models.URLField(
        _("booking address"),
        max_length=240,
        blank=True,
        validators=[validate_web_address],
        help_text=_("page for requesting an appointment"),
    )
    changed_at = models.DateTimeField(_("changed at"), auto_now=True, db_index=True)
    search_text = models.TextField(editable=False, default="", db_default="")

    class Meta:
        verbose_name = _("clinic")
        verbose_name_plural = _("clinics")
        indexes = [models.Index(fields=["latitude", "longitude"], name="clinic_place")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        self.update_search_text()
        super().save(*args, **options)

    def update_search_text(self) -> None:
        """Call it before a bulk write, which does not call `save`."""
        self.search_text = search_text(self.name, self.province, self.district, self.address)

    @property
    def romanized_name(self) -> str:
        return " ".join(word[:1].upper() + word[1:] for word in romanize(self.name).split())
