"""Answer a question within the rate limit, and store it if no answer is sure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from backend.operations.throttle import throttle_wait
from backend.questions.errors import QuestionMissing, TooManyQuestions
from backend.questions.models import Unanswered
from backend.questions.selectors.answering import (
    NOT_BLANK,
    QUESTION_MAX_CHARS,
    AnswerKind,
    QuestionAnswer,
    question_answer,
)

log = structlog.get_logger(__name__)

UNANSWERED_RETENTION_DAYS = 90
#: Email and web addresses, and digits that could be a phone number or another personal number.
_PERSONAL = re.compile(r"\S+@\S+|https?://\S+|\d[\d -]{4,}\d")


def question_ask(question: str, language: str, *, sender: str, signs: Sequence[str] = ()) -> QuestionAnswer:
    """Answer a question. Raises QuestionMissing or TooManyQuestions.

    Neither question nor answer is logged. A question without a sure answer is stored for `UNANSWERED_RETENTION_DAYS`,
    with the day and no link to the person who asked; urgent ones are never stored.
    """
    if len(question) > QUESTION_MAX_CHARS or not re.search(NOT_BLANK, question):
        raise QuestionMissing
    question = " ".join(question.replace("\0", " ").split())
    if wait := throttle_wait(settings.QUESTIONS_PER_MINUTE, "questions", sender):
        raise TooManyQuestions(max(1, int(wait)))
    answer = question_answer(question, language, signs)
    if answer.kind in {AnswerKind.UNSURE, AnswerKind.UNKNOWN}:
        text = _PERSONAL.sub("…", question)
        Unanswered.objects.create(text=text, language=language, nearest=answer.nearest)
    log.info("question_answered", kind=answer.kind, by_meaning=answer.by_meaning)
    return answer


def unanswered_sweep() -> int:
    """Delete questions older than `UNANSWERED_RETENTION_DAYS`; returns how many."""
    deleted, _by_model = Unanswered.objects.filter(
        asked_on__lt=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS)
    ).delete()
    return deleted
