"""Analyses for tests, each brought to where it stands by the services that would bring it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from django.utils import timezone

from backend.analyses.grades import Grade
from backend.analyses.models import Analysis
from backend.analyses.services.attempt import (
    Claim,
    analysis_claim,
    analysis_fail,
    analysis_reject,
    analysis_succeed,
)
from backend.analyses.services.control import analysis_cancel
from backend.analyses.services.retention import photos_purge
from backend.analyses.services.submission import analysis_submit
from ml.labels import SYMPTOMS, Abstention
from tests.support.pictures import photo_jpeg

ANSWERS = {"sex": "female", "age": "30s", "consent": "true"}
PHOTO = photo_jpeg(160, 120)
BUNDLE = "demo@1.0.0"
GRADES = (1, 3, 0, 0, 1, 1)  #: 지성, 중증: much sebum, and little else


def queued(**answers: str) -> Analysis:
    return analysis_submit({**ANSWERS, **answers}, photo=PHOTO)


def claimed(analysis: Analysis, worker: str = "model@one") -> Claim:
    claim = analysis_claim(analysis.id, worker=worker)
    assert claim is not None
    return claim


def running(**answers: str) -> Analysis:
    analysis = queued(**answers)
    claimed(analysis)
    return fresh(analysis)


def findings(grades: Sequence[int] = GRADES, unrated: Mapping[str, Abstention] = MappingProxyType({})) -> list[Grade]:
    """What graders say that are four fifths sure of each grade; `unrated` has reasons by symptom."""
    return [
        Grade(
            symptom.key,
            grade,
            tuple(0.8 if n == grade else 0.2 / 3 for n in range(4)),
            0.8,
            unrated.get(symptom.key),
        )
        for symptom, grade in zip(SYMPTOMS, grades, strict=True)
    ]


def succeeded(
    grades: Sequence[int] = GRADES,
    *,
    unrated: Mapping[str, Abstention] = MappingProxyType({}),
    demo: bool = True,
    **answers: str,
) -> Analysis:
    analysis = queued(**answers)
    assert analysis_succeed(claimed(analysis), findings(grades, unrated), bundle=BUNDLE, demo=demo)
    return fresh(analysis)


def rejected(code: str = "not_a_scalp", **answers: str) -> Analysis:
    analysis = queued(**answers)
    assert analysis_reject(claimed(analysis), code, bundle=BUNDLE, demo=True)
    return fresh(analysis)


def failed(code: str = "model_error", **answers: str) -> Analysis:
    analysis = queued(**answers)
    assert analysis_fail(claimed(analysis), code)
    return fresh(analysis)


def canceled(**answers: str) -> Analysis:
    analysis = queued(**answers)
    analysis_cancel(analysis.id)
    return fresh(analysis)


def expired(**answers: str) -> Analysis:
    analysis = queued(**answers)
    past_retention(analysis)
    photos_purge()
    return fresh(analysis)


def past_retention(analysis: Analysis) -> None:
    """Let the time that its photo is kept be over."""
    Analysis.objects.filter(pk=analysis.pk).update(purge_at=timezone.now() - timedelta(seconds=1))


def lease_lapsed(analysis: Analysis) -> None:
    """Let the lease of a running one be over."""
    Analysis.objects.filter(pk=analysis.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def fresh(analysis: Analysis) -> Analysis:
    """The row as it is now."""
    return Analysis.objects.get(pk=analysis.pk)


#: One of each status.
IN_STATUS: dict[str, Callable[..., Analysis]] = {
    "queued": queued,
    "running": running,
    "succeeded": succeeded,
    "rejected": rejected,
    "failed": failed,
    "canceled": canceled,
    "expired": expired,
}
