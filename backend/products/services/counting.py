"""Counts impressions and clicks: each once per report, with a daily limit per sender."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backend.analyses.models import Analysis
from backend.analyses.selectors.status import analysis_status
from backend.operations.throttle import count_attempts
from backend.products.bandit import MAX_CLICKS_PER_DAY, MAX_REPORTS_PER_DAY
from backend.products.models import Click, DedupKey, Product, Show
from backend.products.selectors.suggestions import Suggestions, suggestions

#: Impressions and clicks of a report are counted for this long; then its deduplication keys are deleted.
COUNTING_PERIOD = timedelta(days=3)
DAY_SECONDS = 24 * 3600


def shows_count(analysis_id: UUID, shown: Suggestions, sender: str) -> bool:
    """Count these suggestions as shown to `sender`, once per report; returns whether they were counted."""
    analysis = _countable(analysis_id)
    if analysis is None or not shown.suggested:
        return False
    digest = _digest(analysis, "shown")
    if DedupKey.objects.filter(pk=digest).exists() or not _within_daily_limit("products", sender, MAX_REPORTS_PER_DAY):
        return False
    with transaction.atomic():
        if not _mark_counted(digest, analysis):
            return False
        for one in shown.suggested:
            row, _made = Show.objects.get_or_create(product=one.product, skin=shown.skin, day=timezone.localdate())
            Show.objects.filter(pk=row.pk).update(shows=F("shows") + 1)
    return True


def click_count(analysis_id: UUID, product: Product, sender: str) -> bool:
    """Count that `sender` followed the link of a suggested product; returns whether it was counted.

    It is not counted if it already was, if the product was not suggested or its impression not counted, if the report
    is too old, or if the sender has reached the daily limit. Raises what `suggestions` and `analysis_status` raise.
    """
    shown = suggestions(analysis_status(analysis_id))
    analysis = _countable(analysis_id)
    if analysis is None or product.pk not in {one.product.pk for one in shown.suggested}:
        return False
    digest = _digest(analysis, str(product.pk))
    counted = set(DedupKey.objects.filter(pk__in=[digest, _digest(analysis, "shown")]).values_list("pk", flat=True))
    if digest in counted or not counted:
        return False
    if not _within_daily_limit("clicks", f"{sender} {product.pk}", MAX_CLICKS_PER_DAY):
        return False
    human = analysis.human
    assert human is not None, "A report has a human."
    with transaction.atomic():
        if not _mark_counted(digest, analysis):
            return False
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        Click.objects.create(
            product=product, skin=human.skin, pred=human.pred, sex=human.sex, age=human.age, at=hour
        )  # fmt: skip
    return True


def delete_expired_dedup_keys() -> int:
    """Delete the keys of reports that are too old to count; returns how many."""
    deleted, _by_model = DedupKey.objects.filter(ends_at__lte=timezone.now()).delete()
    return deleted


def _countable(analysis_id: UUID) -> Analysis | None:
    since = timezone.now() - COUNTING_PERIOD
    return Analysis.objects.select_related("human").filter(pk=analysis_id, finished_at__gt=since).first()


def _digest(analysis: Analysis, item: str) -> str:
    """Can't be recomputed without the fingerprint of the photo, which is erased together with the analysis."""
    message = f"{analysis.pk}:{analysis.fingerprint}:{item}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def _mark_counted(digest: str, analysis: Analysis) -> bool:
    """Mark this as counted; returns whether it was not yet."""
    assert analysis.finished_at is not None, "_countable() filters by finished_at"
    ends_at = analysis.finished_at + COUNTING_PERIOD
    _key, created = DedupKey.objects.get_or_create(digest=digest, defaults={"ends_at": ends_at})
    return created


def _within_daily_limit(action: str, sender: str, limit: int) -> bool:
    """Whether the sender is within the daily limit; False if the counter is unavailable."""
    counts = count_attempts(action, sender, seconds=DAY_SECONDS)
    return bool(counts) and max(counts) <= limit
