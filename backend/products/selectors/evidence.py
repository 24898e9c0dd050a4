"""Impressions and clicks: the evidence for the order of suggestions, and the rates that admins see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from backend.products.bandit import EVIDENCE_DAYS
from backend.products.interval import wilson_interval
from backend.products.models import Click, Product, Show


@dataclass(frozen=True)
class Evidence:
    shows: int
    clicks: int


@dataclass(frozen=True)
class Rate:
    """Impressions and clicks of a product for one scalp type."""

    product: Product
    skin: str
    shows: int
    clicks: int

    @property
    def share(self) -> float | None:
        return self.clicks / self.shows if self.shows else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the rate."""
        return wilson_interval(self.clicks, self.shows)


def evidence_before(skin: str, before: date) -> dict[int, Evidence]:
    """Impressions and clicks by product for this type before this day. These no longer change."""
    since = before - timedelta(days=EVIDENCE_DAYS)
    shows = Show.objects.filter(skin=skin, day__gte=since, day__lt=before).values_list("product")
    day_range = {"at__gte": _start_of_day(since), "at__lt": _start_of_day(before)}
    clicks = Click.objects.filter(skin=skin, **day_range).values_list("product")
    clicked = dict(clicks.annotate(number=Count("id")).order_by())
    return {
        product: Evidence(number, clicked.get(product, 0))
        for product, number in shows.annotate(number=Sum("shows")).order_by()
    }


def rates(skin: str = "", days: int | None = None) -> list[Rate]:
    """The rates of all products and types that were shown, most shown first; of one type, or of the last `days`."""
    shows, clicks = Show.objects.all(), Click.objects.all()
    if skin:
        shows, clicks = shows.filter(skin=skin), clicks.filter(skin=skin)
    if days:
        since = timezone.localdate() - timedelta(days=days)
        shows, clicks = shows.filter(day__gte=since), clicks.filter(at__gte=_start_of_day(since))
    shown: Counter[tuple[int, str]] = Counter()
    for product, of, number in shows.values_list("product", "skin").annotate(number=Sum("shows")).order_by():
        shown[product, of] = number
    clicked = {
        (product, of): number
        for product, of, number in clicks.values_list("product", "skin").annotate(number=Count("id")).order_by()
    }
    products = Product.objects.in_bulk({product for product, _skin in shown})
    return [
        Rate(products[product], of, number, clicked.get((product, of), 0))
        for (product, of), number in shown.most_common()
    ]


def _start_of_day(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
