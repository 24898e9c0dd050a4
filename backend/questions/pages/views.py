"""The pages of the questions: ask, read one answer, and ask from one's own report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from backend.analyses.pages.words import label_word
from backend.config.errors import UserError
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.questions.advice import ADVICE
from backend.questions.errors import EntryUnknown
from backend.questions.selectors.answering import QUESTION_MAX_CHARS, entry_get, first_questions
from backend.questions.selectors.context import report_signs
from backend.questions.services.asking import UNANSWERED_RETENTION_DAYS, question_ask
from backend.questions.wording import reader_language, worded
from ml.labels import GRADES, SYMPTOMS


@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: HttpRequest) -> HttpResponse:
    """A form, and the answer to what was asked with it. The question never appears in a URL."""
    return _render_questions(request, {}, {})


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """The same from one's own report, whose signs come first."""
    try:
        signs = report_signs(analysis_id)
    except UserError as error:
        return _render_problem(request, error)
    names = {label.key: label_word(label) for label in SYMPTOMS}
    said = ", ".join(f"{names[sign]} – {label_word(GRADES[grade])}" for sign, grade in signs.items())
    return _render_questions(request, signs, {"analysis_id": analysis_id, "signs": said})


@require_safe
def entry(request: HttpRequest, key: str) -> HttpResponse:
    """One question with its answer."""
    found = entry_get(key)
    if found is None:
        return _render_problem(request, EntryUnknown())
    return render(request, "pages/question.html", {"entry": worded(found, reader_language())})


def _render_questions(request: HttpRequest, signs: dict[str, int], context: dict[str, Any]) -> HttpResponse:
    language, status = reader_language(), 200
    context |= {
        "most": QUESTION_MAX_CHARS,
        "kept_days": UNANSWERED_RETENTION_DAYS,
        "question": request.POST.get("question", "")[:QUESTION_MAX_CHARS],
    }
    if request.method == "POST":
        try:
            told = question_ask(
                request.POST.get("question", ""), language, sender=client_address(request), signs=list(signs)
            )
        except UserError as error:
            context["notice"], status, wait = error.detail, error.status, error.retry_after
            context["first"] = [worded(one, language) for one in first_questions(list(signs))]
            return private(render(request, "pages/questions.html", context, status=status), wait)
        context |= {
            "told": told,
            "advice": ADVICE[told.flag] if told.flag else None,
            "entry": worded(told.entry, language) if told.entry else None,
            "suggestions": [worded(one, language) for one in told.suggestions],
        }
    if "told" not in context or not (context["entry"] or context["suggestions"] or context["advice"]):
        context["first"] = [worded(one, language) for one in first_questions(list(signs))]
    return private(render(request, "pages/questions.html", context, status=status))


def _render_problem(request: HttpRequest, error: UserError) -> HttpResponse:
    context = {"status": error.status, "detail": error.detail}
    return private(render(request, "problem.html", context, status=error.status))
