"""What holds for every analysis, whatever fails: complete results, photos in step with rows, nothing kept too long."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from backend.analyses.models import Analysis, Erasure, Finding, Human, Share
from backend.analyses.services.retention import ORPHAN_AGE, photos_purge, stored_before
from backend.analyses.services.sharing import shares_sweep
from backend.analyses.states import ENDED, Status
from backend.operations.invariants import Invariant
from ml.labels import SYMPTOMS

#: How late upkeep may be before what it should have deleted is a violation: it may be restarted, or wait for a lock.
GRACE = timedelta(hours=1)
#: A running analysis whose lease ended this many leases ago was overlooked by the reaper.
OVERDUE_LEASES = 10


def _ids(rows: QuerySet[Analysis]) -> list[str]:
    return [str(analysis_id) for analysis_id in rows.values_list("id", flat=True)]


def _succeeded_without_six_findings() -> list[str]:
    succeeded = Analysis.objects.filter(status=Status.SUCCEEDED)
    return _ids(succeeded.annotate(number=Count("findings")).exclude(number=len(SYMPTOMS)))


def _succeeded_without_human() -> list[str]:
    return _ids(Analysis.objects.filter(status=Status.SUCCEEDED, human=None))


def _result_without_success() -> list[str]:
    others = Analysis.objects.exclude(status=Status.SUCCEEDED)
    return _ids(others.filter(Q(human__isnull=False) | Q(findings__isnull=False)).distinct())


def _human_without_analysis() -> list[str]:
    return [str(human) for human in Human.objects.filter(analysis=None).values_list("id", flat=True)]


def _photo_missing() -> list[str]:
    # The rows are read before the files are listed: a photo is stored before its row names it.
    missing = set(Analysis.objects.exclude(photo="").values_list("photo", flat=True)) - set(_stored_names())
    # And once more, as its row stops naming it before a photo is deleted.
    return _ids(Analysis.objects.filter(photo__in=missing)) if missing else []


def _file_without_row() -> list[str]:
    # The sweep runs once an hour, and takes files of at least ORPHAN_AGE.
    names = set(stored_before(timezone.now() - ORPHAN_AGE - 2 * GRACE))
    return sorted(names.difference(Analysis.objects.exclude(photo="").values_list("photo", flat=True)))


def _photo_past_retention() -> list[str]:
    return _ids(Analysis.objects.filter(status__in=ENDED, purge_at__lte=timezone.now() - GRACE).exclude(photo=""))


def _map_without_photo() -> list[str]:
    return _ids(Analysis.objects.filter(photo="", findings__map__isnull=False).distinct())


def _delete_maps(ids: Collection[str]) -> None:
    Finding.objects.filter(analysis__in=map(UUID, ids), analysis__photo="").update(map=None)


def _waiting_past_retention() -> list[str]:
    return _ids(Analysis.objects.filter(status=Status.QUEUED, purge_at__lte=timezone.now() - GRACE))


def _lease_overlooked() -> list[str]:
    long_ago = Now() - timedelta(seconds=OVERDUE_LEASES * settings.LEASE_SECONDS)
    running = Analysis.objects.filter(status=Status.RUNNING)
    return _ids(running.filter(Q(lease_until=None) | Q(lease_until__lt=long_ago)))


def _erased_but_there() -> list[str]:
    return _ids(Analysis.objects.filter(pk__in=Erasure.objects.values("pk")))


def _delete_erased(ids: Collection[str]) -> None:
    erased = Analysis.objects.filter(pk__in=ids).filter(pk__in=Erasure.objects.values("pk"))
    with transaction.atomic():
        for analysis in erased:
            analysis.delete()
            if analysis.human_id is not None:
                Human.objects.filter(pk=analysis.human_id).delete()
            if analysis.photo:
                transaction.on_commit(partial(default_storage.delete, analysis.photo))


def _share_past_its_end() -> list[str]:
    # The sweep runs once an hour. An expired link opens nothing, so it is only a row too many.
    expired = Share.objects.filter(expires_at__lte=timezone.now() - 2 * GRACE)
    return [str(share) for share in expired.values_list("id", flat=True)]


def _stored_names() -> list[str]:
    """The names of all files, also if another host's clock is ahead."""
    return list(stored_before(timezone.now() + timedelta(days=1)))


INVARIANTS = (
    Invariant("six_findings", "Every analysis that succeeded has six findings.", _succeeded_without_six_findings),
    Invariant("one_human", "Every analysis that succeeded has a Human.", _succeeded_without_human),
    Invariant("no_other_results", "No other analysis has findings or a Human.", _result_without_success),
    Invariant("no_other_humans", "Every Human belongs to an analysis.", _human_without_analysis),
    Invariant("photo_stored", "The photo that a row names is in storage.", _photo_missing),
    Invariant(
        "photo_has_row", "Every stored photo is named by a row.", _file_without_row, lambda _names: photos_purge()
    ),
    Invariant("photo_purged", "No photo is kept past its retention.", _photo_past_retention),
    Invariant("map_purged", "No map is kept without its photo.", _map_without_photo, _delete_maps),
    Invariant("waits_end", "No analysis waits past its photo's retention.", _waiting_past_retention),
    Invariant("leases_end", "No analysis is running without a current lease.", _lease_overlooked),
    Invariant("erased_is_gone", "Of an erased analysis only its id is left.", _erased_but_there, _delete_erased),
    Invariant("shares_end", "No link is kept past its end.", _share_past_its_end, lambda _ids: shares_sweep()),
)
