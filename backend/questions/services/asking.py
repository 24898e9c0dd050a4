"""Take in a question: hold it to a pace, answer it, and keep what could not be answered."""

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
from backend.questions.selectors.answering import NOT_BLANK, QUESTION_MAX_CHARS, Answer, AnswerKind, question_answer

log = structlog.get_logger(__name__)

UNANSWERED_RETENTION_DAYS = 90
#: Addresses, and what could be a telephone number or another that belongs to one person.
_PERSONAL = re.compile(r"\S+@\S+|https?://\S+|\d[\d -]{4,}\d")


def question_ask(question: str, language: str, *, sender: str, signs: Sequence[str] = ()) -> Answer:
    """Answer a question. Raises QuestionMissing or TooManyQuestions.

    Neither question nor answer is logged. A question without a sure answer is stored for `UNANSWERED_RETENTION_DAYS`,
    with the day and no link to the person who asked; urgent ones are never stored.
    """
    if len(question) > QUESTION_MAX_CHARS or not re.search(NOT_BLANK, question):
        raise QuestionMissing
    question = " ".join(question.replace("\0", " ").split())
    if wait := throttle_wait(settings.QUESTIONS_PER_MINUTE, "questions", sender):
        raise TooManyQuestions(max(1, int(wait)))
    told = question_answer(question, language, signs)
    if told.kind in {AnswerKind.UNSURE, AnswerKind.UNKNOWN}:
        text = _PERSONAL.sub("…", question)
        Unanswered.objects.create(text=text, language=language, nearest=told.nearest)
    log.info("question_answered", kind=told.kind)
    return told


def unanswered_sweep() -> int:
    """Forget questions that were kept for long enough; how many these were."""
    deleted, _by_model = Unanswered.objects.filter(
        asked_on__lt=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS)
    ).delete()
    return deleted
