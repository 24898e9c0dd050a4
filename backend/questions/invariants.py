"""What holds for questions, whatever fails."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backend.operations.invariants import Invariant
from backend.questions.models import Unanswered
from backend.questions.services.asking import UNANSWERED_RETENTION_DAYS, unanswered_sweep


def _past_retention() -> list[str]:
    # A day more than the sweep takes, so that midnight between the two does not count as a violation.
    old = Unanswered.objects.filter(asked_on__lt=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS + 1))
    return [str(question) for question in old.values_list("id", flat=True)]


UNANSWERED_END = Invariant(
    "questions_end",
    "No question without an answer is kept past its retention.",
    _past_retention,
    lambda _ids: unanswered_sweep(),
)
