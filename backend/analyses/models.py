"""Requests (`Analysis`), results (`Finding`), and what stays for the statistics (`Human`)."""

from __future__ import annotations

import uuid
from typing import cast

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.analyses.states import Status
from ml.labels import GRADES, SCALP_TYPES, SYMPTOMS
from ml.labels import Abstention as Reason


class Sex(models.TextChoices):
    """The answer in requests; `SEX_WORDS` has the words that `Human` stores."""

    MALE = "male", _("Male")
    FEMALE = "female", _("Female")
    UNDISCLOSED = "undisclosed", _("Rather not say")


class Age(models.TextChoices):
    """Age by decade. The first band starts at 14, the minimum age."""

    TEENS = "10s", _("14 to 19")
    TWENTIES = "20s", _("20s")
    THIRTIES = "30s", _("30s")
    FORTIES = "40s", _("40s")
    FIFTIES = "50s", _("50s")
    SIXTIES = "60s", _("60s")
    SEVENTIES = "70s", _("70s")
    EIGHTIES = "80s", _("80 and over")


class Device(models.TextChoices):
    SCOPE = "scope", _("Scalp scope")
    PHONE = "phone", _("Phone")


SEX_WORDS: dict[str, str] = {Sex.MALE: "남", Sex.FEMALE: "여", Sex.UNDISCLOSED: "미응답"}
AGE_WORDS: dict[str, str] = {age: f"{age.value[:-1]}대" if age != Age.EIGHTIES else "80대 이상" for age in Age}


class Human(models.Model):
    """One result for the statistics, in Korean words, without a link to a person."""

    id = models.AutoField(primary_key=True)
    sex = models.CharField(_("sex"), max_length=8, choices=[(word, word) for word in SEX_WORDS.values()])
    age = models.CharField(_("age"), max_length=8, choices=[(word, word) for word in AGE_WORDS.values()])
    pred = models.CharField(_("degree"), max_length=8, choices=[(g.korean, g.korean) for g in GRADES])
    skin = models.CharField(_("scalp type"), max_length=8, choices=[(t.korean, t.korean) for t in SCALP_TYPES])

    class Meta:
        db_table = "human"
        verbose_name = _("human")
        verbose_name_plural = _("humans")

    def __str__(self) -> str:
        return f"{self.sex} {self.age} {self.skin} {self.pred}"


class Analysis(models.Model):
    """One photo's way through the service. The row is the truth, a message in the queue only a hint.

    `attempt` only grows: it is the fence against writes of a former worker. `attempts_before` is its value at the last
    request, so that a retry has its own number of attempts. `notified_at` is the time of the last message that was sent
    for a queued row. The columns of these two keep their former names: during a rolling update, workers of the former
    version still write them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    code = models.CharField(_("reason"), max_length=40, blank=True, help_text=_("Why it was rejected or failed."))

    photo = models.CharField(_("photo"), max_length=200, blank=True, help_text=_("Name in storage; empty once purged."))
    sex = models.CharField(_("sex"), max_length=12, choices=Sex.choices)
    age = models.CharField(_("age"), max_length=4, choices=Age.choices)
    device = models.CharField(_("device"), max_length=8, choices=Device.choices, blank=True)
    consented_at = models.DateTimeField(_("consent given"))
    idempotency_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)

    created_at = models.DateTimeField(_("created"))
    queued_at = models.DateTimeField(_("queued"))
    notified_at = models.DateTimeField(_("workers notified"), null=True, blank=True, db_column="rung_at")
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    purge_at = models.DateTimeField(_("photo purged after"))

    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    attempts_before = models.PositiveIntegerField(default=0, editable=False, db_column="tries_from")
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    models_done = models.PositiveSmallIntegerField(_("models done"), default=0)
    #: The trace of the last request: the worker's spans belong to it even if the message is lost.
    traceparent = models.CharField(max_length=55, null=True, editable=False)

    brightness = models.FloatField(_("brightness"), null=True, blank=True, help_text=_("Of the photo, 0 to 1."))
    contrast = models.FloatField(_("contrast"), null=True, blank=True, help_text=_("Of the photo, 0 to 1."))
    sharpness = models.FloatField(
        _("sharpness"), null=True, blank=True, help_text=_("Of the photo, about 1 where it is in focus.")
    )
    bundle = models.CharField(_("bundle"), max_length=100, blank=True)
    demo = models.BooleanField(_("demo weights"), default=False)
    human = models.OneToOneField(
        Human,
        verbose_name=_("human"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="analysis",
    )

    class Meta:
        verbose_name = _("analysis")
        verbose_name_plural = _("analyses")
        indexes = [
            models.Index(fields=["status", "queued_at", "id"], name="analysis_queue"),
            models.Index(fields=["status", "lease_until"], name="analysis_lease"),
            models.Index(fields=["purge_at"], name="analysis_purge", condition=~models.Q(photo="")),
            models.Index(fields=["created_at"], name="analysis_created"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"


class Abstention(models.TextChoices):
    """Why a grade is withheld."""

    UNSURE = "unsure", _("not sure enough")
    UNFAMILIAR = "unfamiliar", _("photo unlike those it was calibrated on")
    UNPROVEN = "unproven", _("not confirmed by real photos")


class Finding(models.Model):
    """One symptom's grade with its four probabilities; a grade that is `withheld` must not be shown.

    `map` shows where on the photo: a square of bytes over the whole photo, row by row from the upper left, from 0 for
    the weakest to 255 for the strongest evidence. None if the grader abstains, and deleted with the photo.
    """

    analysis = models.ForeignKey(
        Analysis, verbose_name=_("analysis"), on_delete=models.CASCADE, related_name="findings"
    )
    symptom = models.CharField(_("symptom"), max_length=40, choices=[(s.key, s.korean) for s in SYMPTOMS])
    grade = models.PositiveSmallIntegerField(_("grade"), choices=[(n, g.korean) for n, g in enumerate(GRADES)])
    probability_0 = models.FloatField(_("probability of good"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    probability_1 = models.FloatField(_("probability of mild"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    probability_2 = models.FloatField(
        _("probability of moderate"), validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    probability_3 = models.FloatField(
        _("probability of severe"), validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    confidence = models.FloatField(_("confidence"), validators=[MinValueValidator(0), MaxValueValidator(1)])
    abstains = models.BooleanField(_("abstains"), default=False)
    abstention = models.CharField(
        _("why it is not rated"), max_length=12, choices=Abstention.choices, blank=True, default="", db_default=""
    )
    map = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [models.UniqueConstraint(fields=["analysis", "symptom"], name="one_finding_a_symptom")]

    def __str__(self) -> str:
        return f"{self.symptom} {self.grade}"

    @property
    def withheld(self) -> Reason | None:
        """Why the grade must not be shown, or None. Workers of earlier versions gave no reason, which means unsure."""
        return cast("Reason", self.abstention or Abstention.UNSURE.value) if self.abstains else None


class Opinion(models.TextChoices):
    """What the owner thinks of a grade."""

    LESS = "less", _("Less marked than the report says")
    MORE = "more", _("More marked than the report says")
    RIGHT = "right", _("As the report says")


class Feedback(models.Model):
    """What the owner of a report thinks of one grade in it."""

    analysis = models.ForeignKey(
        Analysis, verbose_name=_("analysis"), on_delete=models.CASCADE, related_name="feedback"
    )
    symptom = models.CharField(_("symptom"), max_length=40, choices=[(s.key, s.korean) for s in SYMPTOMS])
    opinion = models.CharField(_("opinion"), max_length=8, choices=Opinion.choices)
    given_at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        constraints = [models.UniqueConstraint(fields=["analysis", "symptom"], name="one_opinion_a_symptom")]

    def __str__(self) -> str:
        return f"{self.symptom} {self.opinion}"


class Share(models.Model):
    """A link to a report for others; its id is the address. It expires, or is revoked by the owner of the report."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    analysis = models.OneToOneField(Analysis, on_delete=models.CASCADE, related_name="share")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"until {self.expires_at:%Y-%m-%d %H:%M}"


class Erasure(models.Model):
    """The tombstone of an erased analysis: only its id, so that its address answers 410."""

    id = models.UUIDField(primary_key=True, editable=False)
    erased_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.id)
