"""The status of an analysis for polls: one cheap read, which for a queued one also counts those before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from django.db import connection
from django.utils import timezone

from backend.analyses.errors import AnalysisErased, AnalysisUnknown, NoReportYet
from backend.analyses.grades import Grade
from backend.analyses.models import Analysis, Erasure, Finding
from backend.analyses.results import PhotoQuality, Result
from backend.analyses.selectors.queue import EXACT_POSITION_LIMIT, RUNNING_SQL, eta_running, eta_waiting, queue_position
from backend.analyses.states import ENDED, Status
from backend.config.errors import UserError
from backend.config.postgresql import prepared_cursor
from backend.operations.selectors import PACE_SQL, Pace, pace_since
from ml.labels import MODEL_KEYS

#: Everything that a poll needs in one constant query, as most of the traffic is polls. It counts at most
#: `EXACT_POSITION_LIMIT` analyses before a queued one, along the index `analysis_queue`.
_POLL = f"""
SELECT it.status, it.attempt, it.models_done, it.code, it.created_at, it.queued_at, it.finished_at, it.photo,
       it.bundle, it.demo, it.human_id, it.sex, it.age, it.device, it.purge_at,
       CASE WHEN it.status = 'queued' THEN (SELECT count(*) FROM (
           SELECT 1 FROM analyses_analysis AS other
           WHERE other.status = 'queued' AND (other.queued_at, other.id) < (it.queued_at, it.id)
           ORDER BY other.queued_at, other.id LIMIT {EXACT_POSITION_LIMIT}
       ) AS near) ELSE 0 END,
       CASE WHEN it.status IN ('queued', 'running') THEN {RUNNING_SQL} ELSE 0 END,
       pace.workers, pace.photo_seconds
FROM analyses_analysis AS it LEFT JOIN {PACE_SQL} AS pace ON it.status IN ('queued', 'running')
WHERE it.id = %s
"""  # noqa: S608 - constants only


@dataclass(frozen=True)
class AnalysisStatus:
    """What a poll returns. The result takes another read, on access.

    `before` is the number of queued analyses before it, counted up to `EXACT_POSITION_LIMIT`, `running` the number of
    running ones, and `pace` the speed of the workers. All three have no meaning once it has ended.
    """

    id: UUID
    status: Status
    attempt: int
    models_done: int
    code: str
    created_at: datetime
    queued_at: datetime
    finished_at: datetime | None
    photo_kept: bool
    bundle: str
    demo: bool
    human_id: int | None
    sex: str
    age: str
    device: str
    purge_at: datetime
    before: int
    running: int
    pace: Pace

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def photo_expires_at(self) -> datetime | None:
        """When the photo will be deleted; None once it is."""
        return self.purge_at if self.photo_kept else None

    @property
    def models_total(self) -> int:
        return len(MODEL_KEYS)

    @cached_property
    def position(self) -> int | None:
        """The position in the queue, from 1, while it is queued, else None."""
        return queue_position(self.before, self.queued_at) if self.status == Status.QUEUED else None

    @cached_property
    def eta_seconds(self) -> int | None:
        if self.position is not None:
            return eta_waiting(self.position, self.running, self.pace)
        if self.status == Status.RUNNING:
            return eta_running(self.models_done, self.running, self.pace)
        return None

    @property
    def retry_after(self) -> int | None:
        """Seconds until the next poll is worthwhile; None once nothing will change."""
        if self.ended:
            return None
        return min(max((self.eta_seconds or 8) // 4, 1), 10)

    @property
    def version(self) -> str:
        """Changes whenever the answer to a poll does, except for the estimated time."""
        return f"{self.status}.{self.attempt}.{self.models_done}.{self.position or 0}.{int(self.photo_kept)}"

    @property
    def cancelable(self) -> bool:
        return not self.ended

    @property
    def retryable(self) -> bool:
        return self.status in {Status.FAILED, Status.CANCELED} and self.photo_kept

    @cached_property
    def result(self) -> Result | None:
        """The findings of an analysis that succeeded, else None. Raises AnalysisErased if it was erased just now."""
        if self.status != Status.SUCCEEDED:
            return None
        findings = Finding.objects.filter(analysis_id=self.id).select_related("analysis__human").order_by("id")
        if not findings:
            raise analysis_missing(self.id)
        human = findings[0].analysis.human
        assert human is not None, "A success writes its findings and its human together."
        return Result(
            skin=human.skin, pred=human.pred, findings=tuple(map(_grade, findings)), bundle=self.bundle,
            demo=self.demo, quality=_quality(findings[0].analysis),
        )  # fmt: skip


def analysis_status(analysis_id: UUID) -> AnalysisStatus:
    """The status of an analysis. Raises AnalysisUnknown or AnalysisErased."""
    with prepared_cursor() as cursor:
        cursor.execute(_POLL, [*pace_since(), analysis_id if connection.vendor == "postgresql" else analysis_id.hex])
        row = cursor.fetchone()
    if row is None:
        raise analysis_missing(analysis_id)
    status, attempt, models_done, code, created_at, queued_at, finished_at, photo, bundle, demo, human_id, *more = row
    sex, age, device, purge_at, before, running, workers, photo_seconds = more
    photo_kept = bool(photo) and _aware(purge_at) > timezone.now()
    return AnalysisStatus(
        analysis_id, Status(status), attempt, models_done, code, _aware(created_at), _aware(queued_at),
        finished_at and _aware(finished_at), photo_kept, bundle, bool(demo), human_id,
        sex, age, device, _aware(purge_at), before, running, Pace(workers or 0, photo_seconds),
    )  # fmt: skip


def _grade(finding: Finding) -> Grade:
    probabilities = finding.probability_0, finding.probability_1, finding.probability_2, finding.probability_3
    heatmap = bytes(finding.map) if finding.map else None
    return Grade(finding.symptom, finding.grade, probabilities, finding.confidence, finding.withheld, heatmap)


def _quality(analysis: Analysis) -> PhotoQuality | None:
    brightness, contrast, sharpness = analysis.brightness, analysis.contrast, analysis.sharpness
    if brightness is None or contrast is None or sharpness is None:
        return None
    return PhotoQuality(brightness, contrast, sharpness)


def _aware(time: datetime) -> datetime:
    """SQLite stores no time zones: its times are UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def analysis_missing(analysis_id: UUID) -> UserError:
    """The error for an id without a row: erased, or unknown."""
    return AnalysisErased() if Erasure.objects.filter(pk=analysis_id).exists() else AnalysisUnknown()


def report_must_exist(analysis_id: UUID) -> None:
    """Raise NoReportYet if the analysis has not succeeded, AnalysisUnknown or AnalysisErased if it does not exist."""
    status = Analysis.objects.filter(pk=analysis_id).values_list("status", flat=True).first()
    if status is None:
        raise analysis_missing(analysis_id)
    if status != Status.SUCCEEDED:
        raise NoReportYet
