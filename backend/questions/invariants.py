"""What holds for questions, whatever fails."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from backend.operations.invariants import Invariant
from backend.questions.models import Unanswered
from backend.questions.services.asking import UNANSWERED_RETENTION_DAYS


def _past_retention() -> QuerySet[Unanswered]:
    # A day more than the sweep takes, so that midnight between the two does not count as a violation.
    return Unanswered.objects.filter(asked_on__lt=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS + 1))


UNANSWERED_END = Invariant(
    "questions_end",
    "No question without an answer is kept past its retention.",
    lambda: [str(question) for question in _past_retention().values_list("id", flat=True)],
    lambda _ids: _past_retention().delete(),
)
