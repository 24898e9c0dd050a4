"""Counts all results: exactly for staff; for the public by group, with noise and without small groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import CharField, Count
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from backend.analyses.models import AGE_WORDS, SEX_WORDS, Human
from backend.statistics.models import BarKind, Publication, PublishedCount, Tally
from backend.statistics.noise import add_noise
from ml.labels import GRADE_BY_WORD, TYPE_KEY_BY_WORD

log = structlog.get_logger(__name__)

#: An erased result leaves the statistics with the next publication.
PUBLISH_INTERVAL = timedelta(days=1)
#: Groups with fewer results are not published.
MIN_GROUP_SIZE = 20

_SEXES = {word: sex for sex, word in SEX_WORDS.items()}
_AGES = {word: age for age, word in AGE_WORDS.items()}
_BARS: list[tuple[str, str]] = [
    *((BarKind.SKIN, skin) for skin in TYPE_KEY_BY_WORD.values()),
    *((BarKind.PRED, str(pred)) for pred in GRADE_BY_WORD.values()),
]


def statistics_publish(*, now: bool = False) -> int | None:
    """Publish if the last publication was `PUBLISH_INTERVAL` ago, or `now`; returns the number of results, or None.

    If several run at once, one of them publishes. Nothing is published before the first result.
    """
    moment = timezone.now()
    due = Publication.objects.filter(pk=1)
    if not now:
        # A time far ahead was written before the clock was set back; a time slightly ahead, by another publisher.
        due = due.exclude(published_at__range=(moment - PUBLISH_INTERVAL, moment + PUBLISH_INTERVAL))
    Publication.objects.get_or_create(pk=1, defaults={"published_at": datetime(1970, 1, 1, tzinfo=UTC)})
    if not due.exists():
        return None
    tallies = list(_count_results())
    if not tallies and not now:
        return None
    demo = all(tally.demo for tally in tallies)
    with transaction.atomic():
        if not due.update(published_at=moment, demo=demo):
            return None
        Tally.objects.all().delete()
        Tally.objects.bulk_create(tallies, batch_size=1000)
        PublishedCount.objects.all().delete()
        PublishedCount.objects.bulk_create(_noisy_counts(tally for tally in tallies if tally.demo == demo))
    counted = sum(tally.count for tally in tallies)
    log.info("statistics_published", results=counted, demo=demo)
    return counted


def _count_results() -> Iterator[Tally]:
    """All results by month, weights, sex, age, type and degree. Rows with unknown words are not counted."""
    # The month is cut out of the text of the time: both databases store UTC, and SQLite would call Python for each row.
    month = Substr(Cast("analysis__finished_at", CharField()), 1, 7)
    rows = Human.objects.annotate(month=month).values_list("month", "analysis__demo", "sex", "age", "skin", "pred")
    for month_text, demo, sex, age, skin, pred, count in rows.annotate(n=Count("id")).order_by():
        if sex in _SEXES and age in _AGES and skin in TYPE_KEY_BY_WORD and pred in GRADE_BY_WORD:
            first_day = date.fromisoformat(f"{month_text}-01") if month_text else None
            yield Tally(
                month=first_day,
                demo=bool(demo),
                sex=_SEXES[sex],
                age=_AGES[age],
                skin=TYPE_KEY_BY_WORD[skin],
                pred=GRADE_BY_WORD[pred],
                count=count,
            )


def _noisy_counts(tallies: Iterator[Tally]) -> Iterator[PublishedCount]:
    groups: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for tally in tallies:
        bars = groups.setdefault((tally.sex, tally.age), Counter())
        bars[BarKind.SKIN, tally.skin] += tally.count
        bars[BarKind.PRED, str(tally.pred)] += tally.count
    for (sex, age), bars in groups.items():
        shown = {(kind, value): add_noise(bars[kind, value], f"{sex} {age} {kind} {value}") for kind, value in _BARS}
        # Both the exact counts and the published ones, which anyone can add up, must be large enough.
        if all(_sum(counts, kind) >= MIN_GROUP_SIZE for counts in (bars, shown) for kind in BarKind):
            for (kind, value), count in shown.items():
                yield PublishedCount(sex=sex, age=age, kind=kind, value=value, count=count)


def _sum(counts: Mapping[tuple[str, str], int], kind: BarKind) -> int:
    return sum(count for (of, _value), count in counts.items() if of == kind)
