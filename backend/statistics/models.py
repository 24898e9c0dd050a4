"""Counts of all results: exact ones for staff, and noisy ones for the public."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import Age, Sex
from ml.labels import GRADES, SCALP_TYPES


class Publication(models.Model):
    """When results were last counted. The publisher that changes this single row publishes."""

    published_at = models.DateTimeField()
    #: Whether all results come from demo weights, so that these are published.
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.published_at:%Y-%m-%d %H:%M}"


class Tally(models.Model):
    """The exact number of results of one kind in one month (UTC), for staff only."""

    month = models.DateField(_("month"), null=True, help_text=_("The first day; empty if the analysis is gone."))
    demo = models.BooleanField(_("demo weights"))
    sex = models.CharField(_("sex"), max_length=12, choices=Sex.choices)
    age = models.CharField(_("age"), max_length=4, choices=Age.choices)
    skin = models.CharField(_("scalp type"), max_length=12, choices=[(t.key, t.korean) for t in SCALP_TYPES])
    pred = models.PositiveSmallIntegerField(_("degree"), choices=[(n, g.korean) for n, g in enumerate(GRADES)])
    count = models.PositiveIntegerField(_("results"))

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("statistics")

    def __str__(self) -> str:
        return f"{self.month} {self.sex} {self.age} {self.skin} {self.pred}: {self.count}"


class BarKind(models.TextChoices):
    SKIN = "skin"
    PRED = "pred"


class PublishedCount(models.Model):
    """One bar of a group's statistics: about how many of its results have this type or this degree.

    `value` is the key of a scalp type, or a degree 0–3. Groups that are too small have no rows.
    """

    sex = models.CharField(max_length=12, choices=Sex.choices)
    age = models.CharField(max_length=4, choices=Age.choices)
    kind = models.CharField(max_length=4, choices=BarKind.choices)
    value = models.CharField(max_length=12)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sex", "age", "kind", "value"], name="one_bar_of_a_group")]

    def __str__(self) -> str:
        return f"{self.sex} {self.age} {self.value}: {self.count}"
