"""A worker's attempt at an analysis: claim, keep, and one of the ends.

Every write is fenced by the attempt number: once a row was given to another attempt, was canceled or was
erased, the former attempt touches nothing and is told so.
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
from backend.analyses.models import AGE_WORDS, SEX_WORDS, Analysis, Finding, Human
from backend.analyses.selectors.photo import stored_photo
from backend.analyses.selectors.status import PhotoQuality
from backend.analyses.services.ringing import analysis_ring
from backend.analyses.services.transition import analysis_move, analysis_news, analysis_requeue
from backend.analyses.states import Status
from ml.labels import SYMPTOMS, Abstention, counted_grade, scalp_type

log = structlog.get_logger(__name__)

#: Side of a kept map: an EfficientNet tells 7 × 7 places of 224 pixels apart, and 19 × 19 of 600.
MAP_SIDE = 16


@dataclass(frozen=True)
class Claim:
    """The right to work on an analysis, for as long as its attempt number is the row's."""

    analysis_id: UUID
    attempt: int
    photo: str
    repeated: bool  #: an earlier attempt ended without a word, perhaps because of this very photo
    attempts_left: int
    queued_at: datetime
    waited: float | None = None  #: seconds in the queue, of the first attempt since a person asked
    traceparent: str | None = None

    @property
    def held(self) -> Q:
        return Q(attempt=self.attempt, status=Status.RUNNING)


@dataclass(frozen=True)
class Graded:
    """What a grader says of one symptom: grade 0–3, four probabilities, confidence 0–1, why it is withheld if it is.

    `map`, where there is one, says where on the photo it saw that: `MAP_SIDE`² bytes as `Finding` keeps them.
    """

    symptom: str
    grade: int
    probabilities: tuple[float, float, float, float]
    confidence: float
    abstention: Abstention | None = None
    map: bytes | None = None

    @property
    def abstains(self) -> bool:
        return self.abstention is not None


def analysis_claim(analysis_id: UUID, *, worker: str) -> Claim | None:
    """Take a queued analysis for `worker`; None when there is nothing to claim (any more)."""
    queued = Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED)
    row = queued.values("attempt", "tries_from", "photo", "queued_at", "started_at", "traceparent").first()
    if row is None:
        return None
    attempt = row["attempt"] + 1
    claimed = analysis_move(
        analysis_id,
        Status.RUNNING,
        only=Q(attempt=row["attempt"]),
        attempt=attempt,
        worker=worker,
        lease_until=_lease(),
        started_at=timezone.now(),
        models_done=0,
    )
    if not claimed:
        return None
    log.info("analysis_claimed", analysis=str(analysis_id), attempt=attempt)
    tries = attempt - row["tries_from"]
    # What was given back has been worked on: what it waits for since is no part of the queue's first wait.
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
    """Whether an earlier attempt at a queued analysis ended without a word, perhaps because of this very photo."""
    return Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED, attempt__gt=F("tries_from")).exists()


def claim_photo(claim: Claim) -> bytes:
    """The cleaned photo of a claim, a JPEG. Raises OSError when storage does not give it."""
    return stored_photo(claim.photo)


def claim_progress(claim: Claim, *, models_done: int) -> bool:
    """Note how many of the seven models are done and renew the lease. False: stop, it is not yours any more."""
    held = Analysis.objects.filter(claim.held, pk=claim.analysis_id)
    noted = held.update(models_done=models_done, lease_until=_lease()) == 1
    if noted:
        analysis_news(claim.analysis_id)
    return noted


def claims_renew(claims: Collection[Claim]) -> int:
    """Renew the leases of these claims as far as they still hold; how many do."""
    renewed = 0
    for claim in claims:
        held = Analysis.objects.filter(claim.held, pk=claim.analysis_id)
        renewed += held.update(lease_until=_lease())
    return renewed


def analysis_succeed(
    claim: Claim, findings: Sequence[Graded], *, bundle: str, demo: bool, quality: PhotoQuality | None = None
) -> bool:
    """Write six findings, one `Human` and the new status in one transaction. False: nothing was written.

    `findings` are in the order of `ml.labels.SYMPTOMS`. Type and degree follow from those that count
    (`ml.labels.counted_grade`): a photo on which nothing could be rated still has a `Human`.
    """
    if [finding.symptom for finding in findings] != [symptom.key for symptom in SYMPTOMS]:
        raise ValueError("six findings in the order of the symptoms are wanted")
    skin, pred = scalp_type([counted_grade(finding.grade, finding.abstention) for finding in findings])
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
        # A retry after `failed` finds no findings: only success writes them, and success has no way back.
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
    """End an analysis whose photo is not what it should be; `code` says why."""
    return _end(claim, Status.REJECTED, code, bundle=bundle, demo=demo, models_done=1)


def analysis_fail(claim: Claim, code: str) -> bool:
    """End an analysis by an error of ours; `code` says which. Its owner may try again."""
    return _end(claim, Status.FAILED, code)


def analysis_give_back(claim: Claim) -> bool:
    """Put an analysis back into the queue because this worker leaves; it does not count as an attempt."""
    given = analysis_requeue(claim.analysis_id, only=claim.held, tries_from=F("tries_from") + 1)
    if given:
        transaction.on_commit(lambda: analysis_ring(claim.analysis_id), robust=True)
        log.info("analysis_requeued_on_drain", analysis=str(claim.analysis_id), attempt=claim.attempt)
    return given


def analysis_put_off(claim: Claim, *, counts: bool = True) -> bool:
    """Put an analysis back because device, storage or database let us down.

    It counts as an attempt unless the photo can't be to blame: while storage or database are away, no number of
    attempts would be enough. Nobody rings for it at once: the reaper's next round does, so that what is away has time
    to come back.
    """
    if not counts:
        return analysis_requeue(claim.analysis_id, only=claim.held, tries_from=F("tries_from") + 1)
    if claim.attempts_left <= 0:
        return analysis_fail(claim, "attempts_exhausted")
    return analysis_requeue(claim.analysis_id, only=claim.held)


def _end(claim: Claim, status: Status, code: str, **changes: object) -> bool:
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


def _lease() -> Combinable:
    """The end of a lease that begins now, by the clock of the database: who judges it may have another than ours."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
