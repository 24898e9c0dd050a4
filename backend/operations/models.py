"""Workers, upkeep runs, rate-limit counters, and checks of invariants."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Count(models.Model):
    """A rate-limit counter for brokers without INCR; `key` is a hash of client and action."""

    key = models.CharField(max_length=100, primary_key=True)
    tries = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)


class Worker(models.Model):
    """A worker process by its node name; `seen_at` is its last heartbeat."""

    name = models.CharField(_("name"), max_length=200, primary_key=True)
    role = models.CharField(_("role"), max_length=20)
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last heartbeat"))
    models_resident = models.PositiveSmallIntegerField(_("models resident"), default=0)
    bundle = models.CharField(_("bundle"), max_length=100, blank=True)
    demo = models.BooleanField(_("demo weights"), default=False)
    device = models.CharField(_("device"), max_length=100, blank=True)
    max_batch = models.PositiveIntegerField(_("largest batch"), default=0)
    photo_seconds = models.FloatField(_("seconds a photo"), null=True, blank=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name


class Round(models.Model):
    """The runs of one upkeep task: when the last one ended, and the totals of all by kind of item."""

    name = models.CharField(max_length=20, primary_key=True)
    ended_at = models.DateTimeField()
    seconds = models.FloatField()
    rounds = models.PositiveBigIntegerField(default=0)
    found = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class InvariantCheck(models.Model):
    """How many violations the last check of an invariant found."""

    name = models.CharField(max_length=40, primary_key=True)
    violations = models.PositiveIntegerField()
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.violations}"
