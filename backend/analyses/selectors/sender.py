"""What a sender answered about themselves and the photo."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.analyses.models import Analysis


@dataclass(frozen=True)
class SenderAnswers:
    """Values of `Sex`, `Age` and `Device`; `device` is empty if it was not answered."""

    sex: str
    age: str
    device: str


def sender_answers(analysis_id: UUID) -> SenderAnswers | None:
    """The answers that came with an analysis; None if it is unknown or erased."""
    row = Analysis.objects.filter(pk=analysis_id).values_list("sex", "age", "device").first()
    return SenderAnswers(*row) if row else None
