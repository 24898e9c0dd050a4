"""Answer a question within the rate limit, and store it if no answer is sure."""

from __future__ import annotations

import re
import unicodedata
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
#: A digit in figures or as a word.
_DIGIT = (
    r"(?:\d|[공영빵일이삼사오육륙칠팔구零〇○一二三四五六七八九]"
    r"|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b)"
)
#: What may stand between two digits: punctuation, blanks, or a joining letter or word.
_BETWEEN = r"(?:[\W_]{0,4}|\s*[a-z가-힣]\s*|\s*(?:다시|에|의|국에|dash|dot|slash|hyphen|point)\s*)"
_AT = r"(?:[\[(<]\s*(?:at|앳|골뱅이)\s*[\])>]|골뱅이|\bat\b(?=\s*\S+\s*\bdot\b))"
_DOT = r"(?:[\[(]?\bdot\b[\])]?|닷|점)"
#: Email and web addresses in any spelling, and digits that could be a phone number or another personal number.
_PERSONAL = re.compile(
    r"\S+@\S+|https?://\S+|\bwww\.\S+"
    rf"|\S+\s*{_AT}\s*\S+(?:\s*{_DOT}\s*\S+)*"
    r"|\d(?:[\W_]{0,4}\d){5,}"
    rf"|{_DIGIT}(?:{_BETWEEN}{_DIGIT}){{6,}}",
    re.IGNORECASE,
)


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
        Unanswered.objects.create(text=hide_personal(question), language=language, nearest=answer.nearest)
    log.info("question_answered", kind=answer.kind, by_meaning=answer.by_meaning)
    return answer


def hide_personal(question: str) -> str:
    """The question without addresses and numbers of a person; figures in circles and full-width ones are read too."""
    return _PERSONAL.sub("…", unicodedata.normalize("NFKC", question))[:QUESTION_MAX_CHARS]


def unanswered_sweep() -> int:
    """Delete questions older than `UNANSWERED_RETENTION_DAYS`; returns how many."""
    deleted, _by_model = Unanswered.objects.filter(
        asked_on__lt=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS)
    ).delete()
    return deleted
