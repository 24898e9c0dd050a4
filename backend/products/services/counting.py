"""Counting what was suggested and what was clicked: each once a report, and little of any one sender."""

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
from backend.products.models import Click, Product, Show, Spent
from backend.products.selectors.suggestions import Suggestions, suggestions

#: Shows and clicks of a report are counted for this long; then its deduplication keys are deleted.
COUNTING_PERIOD = timedelta(days=3)
DAY_SECONDS = 24 * 3600


def shows_count(analysis_id: UUID, shown: Suggestions, sender: str) -> bool:
    """Count that these were suggested to `sender`, the first time that anybody looks; whether it was counted."""
    analysis = _countable(analysis_id)
    if analysis is None or not shown.suggested:
        return False
    digest = _digest(analysis, "shown")
    if Spent.objects.filter(pk=digest).exists() or not _within_daily_limit("products", sender, MAX_REPORTS_PER_DAY):
        return False
    with transaction.atomic():
        if not _mark_counted(digest, analysis):
            return False
        for one in shown.suggested:
            row, _made = Show.objects.get_or_create(product=one.product, skin=shown.skin, day=timezone.localdate())
            Show.objects.filter(pk=row.pk).update(shows=F("shows") + 1)
    return True


def click_count(analysis_id: UUID, product: Product, sender: str) -> bool:
    """Count that `sender` followed the link of a product in the suggestions of a report; whether it was counted.

    It is not where it was counted before, where the product was not suggested or not counted as shown, where the
    report is too old, or where this sender has clicked enough today. Raises what `suggestions` and `analysis_status`
    do.
    """
    shown = suggestions(analysis_status(analysis_id))
    analysis = _countable(analysis_id)
    if analysis is None or product.pk not in {one.product.pk for one in shown.suggested}:
        return False
    digest = _digest(analysis, str(product.pk))
    counted = set(Spent.objects.filter(pk__in=[digest, _digest(analysis, "shown")]).values_list("pk", flat=True))
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
    """Delete the keys of reports that are too old to be counted again; returns how many."""
    deleted, _by_model = Spent.objects.filter(ends_at__lte=timezone.now()).delete()
    return deleted


def _countable(analysis_id: UUID) -> Analysis | None:
    since = timezone.now() - COUNTING_PERIOD
    return Analysis.objects.select_related("human").filter(pk=analysis_id, finished_at__gt=since).first()


def _digest(analysis: Analysis, what: str) -> str:
    """Says nothing without the fingerprint of the photo, which is erased together with the analysis."""
    said = f"{analysis.pk}:{analysis.fingerprint}:{what}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).hexdigest()


def _mark_counted(digest: str, analysis: Analysis) -> bool:
    """Whether this is counted for the first time."""
    assert analysis.finished_at is not None, "It is asked for by when it finished."
    ends_at = analysis.finished_at + COUNTING_PERIOD
    _row, made = Spent.objects.get_or_create(digest=digest, defaults={"ends_at": ends_at})
    return made


def _within_daily_limit(what: str, sender: str, most: int) -> bool:
    """Whether the sender is within the limit of the day. Without a working counter it is not."""
    counts = count_attempts(what, sender, seconds=DAY_SECONDS)
    return bool(counts) and max(counts) <= most
