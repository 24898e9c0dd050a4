"""The status of an analysis, as polls ask for it: one cheap read, and while it waits the counts behind its place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from backend.analyses.errors import AnalysisErased, AnalysisUnknown
from backend.analyses.models import Analysis, Erasure, Finding
from backend.analyses.selectors.queue import eta_running, eta_waiting, queue_position
from backend.analyses.states import ENDED, Status
from backend.config.errors import UserError
from ml.labels import MODEL_KEYS


@dataclass(frozen=True)
class AnalysisStatus:
    """What a poll is told. The properties that need further reads are read when asked for."""

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

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def models_total(self) -> int:
        return len(MODEL_KEYS)

    @cached_property
    def position(self) -> int | None:
        """The place in the line from 1 while it is queued, else None."""
        return queue_position(self.queued_at, self.id) if self.status == Status.QUEUED else None

    @cached_property
    def eta_seconds(self) -> int | None:
        if self.position is not None:
            return eta_waiting(self.position)
        if self.status == Status.RUNNING:
            return eta_running(self.models_done)
        return None

    @property
    def retry_after(self) -> int | None:
        """Seconds until the next poll is worth its while; None once nothing will change."""
        if self.ended:
            return None
        return min(max((self.eta_seconds or 8) // 4, 1), 10)

    @property
    def version(self) -> str:
        """Changes whenever the answer to a poll does, the estimate of the time left aside."""
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
        return Result(skin=human.skin, pred=human.pred, findings=tuple(findings), bundle=self.bundle, demo=self.demo)


@dataclass(frozen=True)
class Result:
    """Scalp type and degree in Korean words, and six findings in the order of the symptoms."""

    skin: str
    pred: str
    findings: tuple[Finding, ...]
    bundle: str
    demo: bool


def analysis_status(analysis_id: UUID) -> AnalysisStatus:
    """The status of an analysis. Raises AnalysisUnknown or AnalysisErased."""
    row = (
        Analysis.objects.filter(pk=analysis_id)
        .values_list(
            "status", "attempt", "models_done", "code", "created_at", "queued_at", "finished_at", "photo",
            "bundle", "demo", "human_id",
        )
        .first()
    )  # fmt: skip
    if row is None:
        raise analysis_missing(analysis_id)
    status, attempt, models_done, code, created_at, queued_at, finished_at, photo, bundle, demo, human_id = row
    return AnalysisStatus(
        analysis_id, Status(status), attempt, models_done, code, created_at, queued_at, finished_at, bool(photo),
        bundle, demo, human_id,
    )  # fmt: skip


def analysis_missing(analysis_id: UUID) -> UserError:
    """The error for an id that has no row: erased, or never there."""
    return AnalysisErased() if Erasure.objects.filter(pk=analysis_id).exists() else AnalysisUnknown()
