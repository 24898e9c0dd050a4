"""The product catalog, and anonymous counts of impressions and clicks."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from backend.analyses.models import AGE_WORDS, SEX_WORDS
from backend.operations.web_addresses import validate_web_address
from backend.products.kinds import ProductKind
from backend.products.rules import Uses
from ml.labels import GRADES, SCALP_TYPES

SKIN_CHOICES = [(label.korean, label.korean) for label in SCALP_TYPES]


class Product(models.Model):
    """One product. No column can put one ahead of another, so no place can be bought."""

    key = models.CharField(_("key"), max_length=80, unique=True, help_text=_("identifies the product in imports"))
    sample = models.BooleanField(_("sample"), default=False, help_text=_("invented, for trying out the pages"))
    active = models.BooleanField(_("in the catalog"), default=True)
    name = models.CharField(_("name"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    maker = models.CharField(_("maker"), max_length=80, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=ProductKind)
    ingredients = models.TextField(_("ingredients"), max_length=2000, blank=True)
    ingredients_en = models.TextField(_("ingredients in English"), max_length=2000, blank=True)
    suits_types = models.JSONField(_("suitable for types"), default=list, blank=True)
    suits_signs = models.JSONField(_("suitable for signs"), default=list, blank=True)
    avoid_types = models.JSONField(_("to be avoided with types"), default=list, blank=True)
    avoid_signs = models.JSONField(_("to be avoided with signs"), default=list, blank=True)
    avoid = models.CharField(_("when to avoid it"), max_length=240, blank=True, help_text=_("a sentence for the page"))
    avoid_en = models.CharField(_("when to avoid it, in English"), max_length=240, blank=True)
    url = models.URLField(_("link"), max_length=300, validators=[validate_web_address])

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.uses.contradicts:
            raise ValidationError(_("A product can’t both suit a type or sign and have to be avoided with it."))
        if not self.uses.suits_something:
            raise ValidationError(_("A product must suit at least one type or sign."))

    @property
    def uses(self) -> Uses:
        lists = (self.suits_types, self.suits_signs, self.avoid_types, self.avoid_signs)
        return Uses(*(frozenset(keys) for keys in lists))

    def localized(self, column: str) -> str:
        """The text of a column in the reader's language; Korean if the English text is missing."""
        english = "" if (get_language() or "ko").startswith("ko") else getattr(self, f"{column}_en")
        return str(english or getattr(self, column))


class Click(models.Model):
    """A reader followed the link of a product: the scalp type, degree, sex, age group and hour, but not who."""

    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="clicks")
    skin = models.CharField(_("scalp type"), max_length=8, choices=SKIN_CHOICES)
    pred = models.CharField(_("degree"), max_length=8, choices=[(g.korean, g.korean) for g in GRADES])
    sex = models.CharField(_("sex"), max_length=8, choices=[(word, word) for word in SEX_WORDS.values()])
    age = models.CharField(_("age"), max_length=8, choices=[(word, word) for word in AGE_WORDS.values()])
    at = models.DateTimeField(_("hour"), help_text=_("The hour of the click, without minutes."))

    class Meta:
        verbose_name = _("click")
        verbose_name_plural = _("clicks")
        indexes = [models.Index(fields=["skin", "at"], name="click_evidence")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.skin} {self.at:%Y-%m-%d %H}"


class Show(models.Model):
    """How often a product was suggested for a scalp type on one day."""

    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.CASCADE, related_name="shows")
    skin = models.CharField(_("scalp type"), max_length=8, choices=SKIN_CHOICES)
    day = models.DateField(_("day"))
    shows = models.PositiveIntegerField(_("impressions"), default=0)

    class Meta:
        verbose_name = _("impressions of a day")
        verbose_name_plural = _("impressions by day")
        constraints = [models.UniqueConstraint(fields=["skin", "day", "product"], name="one_row_a_day")]

    def __str__(self) -> str:
        return f"{self.product_id} {self.skin} {self.day}: {self.shows}"


class DedupKey(models.Model):
    """Marks the suggestions of a report, or one product in them, as counted; kept as long as they could count again.

    It is a keyed hash of data of the analysis. Once the analysis is erased, the hash can no longer be linked to it,
    and it never links to a click.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "products_spent"  # The former name, which processes of the former version use during an upgrade.
