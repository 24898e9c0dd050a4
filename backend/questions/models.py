"""The answers that were written in advance, and the questions that had none."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from backend.questions.retrieval.index import Role

#: What a reader sees of an entry, and by which it is found. A review is of these.
TEXT_COLUMNS = frozenset({"question_ko", "also_ko", "answer_ko", "question_en", "also_en", "answer_en", "source"})
REVIEW_COLUMNS = frozenset({"reviewed_on", "reviewed_by_role"})


class Topic(models.TextChoices):
    SIGNS = "signs", _("Signs")
    CARE = "care", _("Care")
    PHOTOS = "photos", _("Photos")
    SERVICE = "service", _("The service")
    DATA = "data", _("Data")
    DOCTOR = "doctor", _("The doctor")
    ILLNESS = "illness", _("Illnesses")
    DECOY = "decoys", _("Not answered")
    RED_FLAG = "flags", _("Can’t wait")


class ReviewerRole(models.TextChoices):
    """Who may have reviewed an answer."""

    DERMATOLOGIST = "dermatologist", _("dermatologist")
    DOCTOR = "doctor", _("doctor")
    PHARMACIST = "pharmacist", _("pharmacist")


class Entry(models.Model):
    """A question with its answer in both languages.

    Decoys are never answered, and the advice for red flags is in `advice.py`: both have only ways to ask.
    """

    key = models.SlugField(_("key"), max_length=60, unique=True)
    topic = models.CharField(_("topic"), max_length=8, choices=Topic)
    #: The column has the name it had when it was taken for a review; processes of the former version still use it.
    edited_on = models.DateField(_("last edited on"), null=True, blank=True, db_column="reviewed")
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    reviewed_by_role = models.CharField(
        _("reviewed by"), max_length=16, choices=ReviewerRole, blank=True, default="", db_default=""
    )
    source = models.CharField(_("source"), max_length=400, blank=True)
    question_ko = models.CharField(_("question in Korean"), max_length=200, blank=True)
    also_ko = models.TextField(_("other ways to ask in Korean"), blank=True, help_text=_("one per line"))
    answer_ko = models.TextField(_("answer in Korean"), blank=True)
    question_en = models.CharField(_("question in English"), max_length=200, blank=True)
    also_en = models.TextField(_("other ways to ask in English"), blank=True, help_text=_("one per line"))
    answer_en = models.TextField(_("answer in English"), blank=True)
    #: Its texts were changed by an admin, so updates leave it alone.
    edited = models.BooleanField(_("edited here"), default=False, editable=False)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True, db_index=True)

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.CheckConstraint(
                name="questions_entry_review_has_role",
                condition=models.Q(reviewed_on=None, reviewed_by_role="")
                | (models.Q(reviewed_on__isnull=False) & ~models.Q(reviewed_by_role="")),
                violation_error_message=_("A review needs both a date and the role of the reviewer."),
            )
        ]

    def __str__(self) -> str:
        return self.key

    def remove_review(self) -> None:
        self.reviewed_on, self.reviewed_by_role = None, ""


class EntryText(models.Model):
    """A text by which an entry is found, with its terms and its embedding computed in advance.

    `vector` is float32 in the byte order of the machine that wrote it; None if the embedding model was not installed.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="texts")
    role = models.CharField(max_length=6, choices=[(role.value, role.value) for role in Role])
    language = models.CharField(max_length=2)
    text = models.TextField()
    terms = models.TextField()
    vector = models.BinaryField(null=True)

    def __str__(self) -> str:
        return self.text


class Unanswered(models.Model):
    """A question without a sure answer: its text and the day, with no link to the person who asked."""

    text = models.CharField(_("question"), max_length=200)
    language = models.CharField(_("language"), max_length=2)
    asked_on = models.DateField(_("asked on"), auto_now_add=True, db_index=True)
    nearest = models.CharField(_("nearest entry"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("unanswered question")
        verbose_name_plural = _("unanswered questions")

    def __str__(self) -> str:
        return self.text
