"""What may be used: the catalogue, and what was shown and clicked of it, of nobody in particular."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import AGE_WORDS, SEX_WORDS
from backend.products.kinds import ProductKind
from backend.products.rules import Uses
from ml.labels import GRADES, SCALP_TYPES

WEB = URLValidator(schemes=["http", "https"])
SKINS = [(label.korean, label.korean) for label in SCALP_TYPES]


class Product(models.Model):
    """One product. Nothing here can be paid for, and no column can put one before another."""

    key = models.CharField(_("key"), max_length=80, unique=True, help_text=_("what an import knows it by"))
    sample = models.BooleanField(_("sample"), default=False, help_text=_("invented, to try the pages with"))
    active = models.BooleanField(_("in the catalogue"), default=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    maker = models.CharField(_("maker"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=ProductKind)
    ingredients = models.TextField(_("ingredients"), max_length=2000, blank=True)
    ingredients_en = models.TextField(_("ingredients in English"), max_length=2000, blank=True)
    suits_types = models.JSONField(_("types that it suits"), default=list, blank=True)
    suits_signs = models.JSONField(_("signs that it suits"), default=list, blank=True)
    avoid_types = models.JSONField(_("types to avoid it with"), default=list, blank=True)
    avoid_signs = models.JSONField(_("signs to avoid it with"), default=list, blank=True)
    avoid = models.CharField(
        _("what to avoid it with"), max_length=240, blank=True, help_text=_("in words, as the page says it")
    )
    avoid_en = models.CharField(_("what to avoid it with, in English"), max_length=240, blank=True)
    url = models.URLField(_("link"), max_length=300, validators=[WEB])

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.uses.contradicts:
            raise ValidationError(_("It can’t suit a type or sign and also be one to avoid with it."))
        if not self.uses.suits_something:
            raise ValidationError(_("It must suit at least one type or sign."))

    @property
    def uses(self) -> Uses:
        lists = (self.suits_types, self.suits_signs, self.avoid_types, self.avoid_signs)
        return Uses(*(frozenset(keys) for keys in lists))

    def said(self, column: str) -> str:
        """The text of a column in the reader's language; the Korean one where there is no English one."""
        english = "" if (get_language() or "ko").startswith("ko") else getattr(self, f"{column}_en")
        return str(english or getattr(self, column))


class Click(models.Model):
    """Somebody followed the link of a product: of what scalp, sex and age, in which hour. Nobody can be told by it."""

    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="clicks")
    skin = models.CharField(_("scalp type"), max_length=8, choices=SKINS)
    pred = models.CharField(_("degree"), max_length=8, choices=[(g.korean, g.korean) for g in GRADES])
    sex = models.CharField(_("sex"), max_length=8, choices=[(word, word) for word in SEX_WORDS.values()])
    age = models.CharField(_("age"), max_length=8, choices=[(word, word) for word in AGE_WORDS.values()])
    at = models.DateTimeField(_("hour"), help_text=_("The hour in which it was clicked, no more exactly."))

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        indexes = [models.Index(fields=["skin", "at"], name="click_evidence")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.skin} {self.at:%Y-%m-%d %H}"


class Show(models.Model):
    """How often a product was suggested on a day for a scalp type."""

    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="shows")
    skin = models.CharField(_("scalp type"), max_length=8, choices=SKINS)
    day = models.DateField(_("day"))
    shows = models.PositiveIntegerField(_("shows"), default=0)

    class Meta:
        verbose_name = _("shows of a day")
        verbose_name_plural = _("shows by day")
        constraints = [models.UniqueConstraint(fields=["skin", "day", "product"], name="one_row_a_day")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.skin} {self.day}: {self.shows}"


class Spent(models.Model):
    """What has been counted once: the suggestions of a report, or a click in them. Kept while it could be again.

    A keyed hash of what the analysis holds: once that is erased, nobody can tell whose it was. It leads to no click.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    ends_at = models.DateTimeField(db_index=True)
