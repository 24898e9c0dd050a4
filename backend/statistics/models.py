"""What is known of all results together: exact counts for staff, and the noisy ones that everybody may see."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import Age, Sex
from ml.labels import GRADES, SCALP_TYPES


class Publication(models.Model):
    """When the counts were last made. There is one row of it, by whose change one of several at once is let through."""

    published_at = models.DateTimeField()
    #: Whether no result of real weights is there yet, so that those of demo weights stand for them.
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.published_at:%Y-%m-%d %H:%M}"


class Tally(models.Model):
    """How many results of one kind there were in one month, by the calendar of UTC. Exact, so for staff alone."""

    month = models.DateField(_("month"), null=True, help_text=_("Its first day; none where the analysis is not kept."))
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
    """One bar of what is shown of a group: about so many of its results have this type, or this degree.

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
