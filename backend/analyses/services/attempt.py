"""A worker's attempt at an analysis: claim, progress and outcome.

Every write is fenced by the attempt number: once the row belongs to another attempt, is canceled or is erased, the
former attempt writes nothing, and the function returns False.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from backend.analyses.counters import ABSTAINED, END_TO_END_SECONDS, FINDINGS, QUEUE_WAIT_SECONDS
from backend.analyses.grades import Grade
from backend.analyses.models import AGE_WORDS, SEX_WORDS, Analysis, Finding, Human
from backend.analyses.results import PhotoQuality, type_and_degree
from backend.analyses.selectors.photo import stored_photo
from backend.analyses.services.enqueueing import analysis_enqueue
from backend.analyses.services.transition import analysis_move, analysis_requeue, publish_analysis_change
from backend.analyses.states import Status
from ml.labels import SYMPTOMS

log = structlog.get_logger(__name__)

#: Side of a stored map. An EfficientNet distinguishes 7 × 7 places at 224 pixels, and 19 × 19 at 600.
MAP_SIDE = 16


@dataclass(frozen=True)
class Claim:
    """The right to work on an analysis, as long as the row has this attempt number."""

    analysis_id: UUID
    attempt: int
    photo: str
    repeated: bool  #: an earlier attempt ended without an outcome, possibly because of this photo
    attempts_left: int
    queued_at: datetime
    waited: float | None = None  #: seconds in the queue, for the first attempt after a request
    traceparent: str | None = None

    @property
    def held(self) -> Q:
        return Q(attempt=self.attempt, status=Status.RUNNING)


def analysis_claim(analysis_id: UUID, *, worker: str) -> Claim | None:
    """Claim a queued analysis for `worker`; None if there is nothing to claim."""
    queued = Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED)
    row = queued.values("attempt", "attempts_before", "photo", "queued_at", "started_at", "traceparent").first()
    if row is None:
        return None
    attempt = row["attempt"] + 1
    claimed = analysis_move(
        analysis_id,
        Status.RUNNING,
        only=Q(attempt=row["attempt"]),
        attempt=attempt,
        worker=worker,
        lease_until=_lease_end(),
        started_at=timezone.now(),
        models_done=0,
    )
    if not claimed:
        return None
    log.info("analysis_claimed", analysis=str(analysis_id), attempt=attempt)
    tries = attempt - row["attempts_before"]
    # A requeued analysis has been worked on before: only the first wait is measured.
    waited = None if row["started_at"] else _seconds_since(row["queued_at"])
    if waited is not None:
        QUEUE_WAIT_SECONDS.observe(waited)
    return Claim(
        analysis_id,
        attempt,
        row["photo"],
        repeated=tries > 1,
        attempts_left=settings.MAX_ATTEMPTS - tries,
        queued_at=row["queued_at"],
        waited=waited,
        traceparent=row["traceparent"],
    )


def analysis_is_suspect(analysis_id: UUID) -> bool:
    """Whether an earlier attempt at a queued analysis ended without an outcome, possibly because of this photo."""
    return Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED, attempt__gt=F("attempts_before")).exists()


def claim_photo(claim: Claim) -> bytes:
    """The cleaned photo of a claim, a JPEG. Raises OSError if it cannot be read."""
    return stored_photo(claim.photo)


def claim_progress(claim: Claim, *, models_done: int) -> bool:
    """Record how many of the seven models are done and renew the lease. False: the lease is lost, stop."""
    held = Analysis.objects.filter(claim.held, pk=claim.analysis_id)
    recorded = held.update(models_done=models_done, lease_until=_lease_end()) == 1
    if recorded:
        publish_analysis_change(claim.analysis_id)
    return recorded


def claims_renew(claims: Collection[Claim]) -> int:
    """Renew the leases of those claims that still hold; returns how many."""
    renewed = 0
    for claim in claims:
        held = Analysis.objects.filter(claim.held, pk=claim.analysis_id)
        renewed += held.update(lease_until=_lease_end())
    return renewed


def analysis_succeed(
    claim: Claim, findings: Sequence[Grade], *, bundle: str, demo: bool, quality: PhotoQuality | None = None
) -> bool:
    """Write six findings, one `Human` and the new status in one transaction. False: nothing was written.

    `findings` are in the order of `ml.labels.SYMPTOMS`. Type and degree are derived from them; a photo on which nothing
    could be rated still has a `Human`.
    """
    skin, pred = type_and_degree(findings)
    with transaction.atomic():
        ended = analysis_move(
            claim.analysis_id,
            Status.SUCCEEDED,
            only=claim.held,
            finished_at=timezone.now(),
            lease_until=None,
            models_done=len(SYMPTOMS) + 1,
            bundle=bundle,
            demo=demo,
            code="",
            **(asdict(quality) if quality else {}),
        )
        if not ended:
            return False
        analysis = Analysis.objects.only("sex", "age").get(pk=claim.analysis_id)
        human = Human.objects.create(sex=SEX_WORDS[analysis.sex], age=AGE_WORDS[analysis.age], pred=pred, skin=skin)
        Analysis.objects.filter(pk=claim.analysis_id).update(human=human)
        # A retry after `failed` has no findings yet: only success writes them, and success is final.
        Finding.objects.bulk_create(
            Finding(
                analysis_id=claim.analysis_id,
                symptom=finding.symptom,
                grade=finding.grade,
                confidence=finding.confidence,
                abstains=finding.abstains,
                abstention=finding.abstention or "",
                map=finding.map,
                **{f"probability_{grade}": value for grade, value in enumerate(finding.probabilities)},
            )
            for finding in findings
        )
    END_TO_END_SECONDS.observe(_seconds_since(claim.queued_at))
    for finding in findings:
        FINDINGS.labels(finding.symptom, ABSTAINED if finding.abstains else finding.grade).inc()
    log.info("analysis_succeeded", analysis=str(claim.analysis_id), attempt=claim.attempt)
    return True


def analysis_reject(claim: Claim, code: str, *, bundle: str, demo: bool) -> bool:
    """End an analysis whose photo is unsuitable; `code` says why."""
    return _end_attempt(claim, Status.REJECTED, code, bundle=bundle, demo=demo, models_done=1)


def analysis_fail(claim: Claim, code: str) -> bool:
    """End an analysis with a server error; `code` says which. Its owner may try again."""
    return _end_attempt(claim, Status.FAILED, code)


def analysis_requeue_on_drain(claim: Claim) -> bool:
    """Requeue an analysis because this worker shuts down, and enqueue it at once; does not count as an attempt."""
    requeued = analysis_requeue(claim.analysis_id, only=claim.held, attempts_before=F("attempts_before") + 1)
    if requeued:
        transaction.on_commit(lambda: analysis_enqueue(claim.analysis_id), robust=True)
        log.info("analysis_requeued_on_drain", analysis=str(claim.analysis_id), attempt=claim.attempt)
    return requeued


def analysis_requeue_after_outage(claim: Claim, *, counts: bool = True) -> bool:
    """Requeue an analysis because device, storage or database failed.

    It counts as an attempt unless the photo cannot be the cause: no number of attempts would be enough for an outage of
    storage or database. The message is sent by the reaper's next run, which gives the failed part time to recover.
    """
    if not counts:
        return analysis_requeue(claim.analysis_id, only=claim.held, attempts_before=F("attempts_before") + 1)
    if claim.attempts_left <= 0:
        return analysis_fail(claim, "attempts_exhausted")
    return analysis_requeue(claim.analysis_id, only=claim.held)


def _end_attempt(claim: Claim, status: Status, code: str, **changes: object) -> bool:
    ended = analysis_move(
        claim.analysis_id,
        status,
        only=claim.held,
        code=code,
        finished_at=timezone.now(),
        lease_until=None,
        **changes,
    )
    if ended:
        END_TO_END_SECONDS.observe(_seconds_since(claim.queued_at))
        log.info(f"analysis_{status.value}", analysis=str(claim.analysis_id), attempt=claim.attempt, code=code)
    return ended


def _seconds_since(time: datetime) -> float:
    return max(0.0, (timezone.now() - time).total_seconds())


def _lease_end() -> Combinable:
    """The end of a lease that starts now, by the database's clock, as another host will check it."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
