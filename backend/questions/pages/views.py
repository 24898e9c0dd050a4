"""The questions pages: ask, read one answer, and ask from a report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from backend.analyses.presentation.words import grade_word, label_word
from backend.config.errors import UserError
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.questions.advice import ADVICE
from backend.questions.errors import EntryUnknown
from backend.questions.localization import localize_entry, reader_language
from backend.questions.selectors.answering import QUESTION_MAX_CHARS, common_questions, entry_get
from backend.questions.selectors.context import report_signs
from backend.questions.services.asking import UNANSWERED_RETENTION_DAYS, question_ask
from ml.labels import SYMPTOMS


@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: HttpRequest) -> HttpResponse:
    """The form, and the answer to a question that was sent with it. The question never appears in a URL."""
    return _render_questions(request, {}, {})


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest, analysis_id: UUID) -> HttpResponse:
    """The same from a report: entries about its signs rank higher."""
    try:
        signs = report_signs(analysis_id)
    except UserError as error:
        return _render_problem(request, error)
    names = {label.key: label_word(label) for label in SYMPTOMS}
    summary = ", ".join(f"{names[key]} – {grade_word(sign)}" for key, sign in signs.items())
    grades = {key: sign.advised_grade for key, sign in signs.items()}
    return _render_questions(request, grades, {"analysis_id": analysis_id, "signs": summary})


@require_safe
def entry(request: HttpRequest, key: str) -> HttpResponse:
    """One question with its answer."""
    row = entry_get(key)
    if row is None:
        return _render_problem(request, EntryUnknown())
    return render(request, "pages/question.html", {"entry": localize_entry(row, reader_language())})


def _render_questions(request: HttpRequest, signs: dict[str, int], context: dict[str, Any]) -> HttpResponse:
    language, status = reader_language(), 200
    context |= {
        "max_chars": QUESTION_MAX_CHARS,
        "retention_days": UNANSWERED_RETENTION_DAYS,
        "question": request.POST.get("question", "")[:QUESTION_MAX_CHARS],
    }
    if request.method == "POST":
        try:
            answer = question_ask(
                request.POST.get("question", ""), language, sender=client_address(request), signs=list(signs)
            )
        except UserError as error:
            context["notice"], status, wait = error.detail, error.status, error.retry_after
            context["common"] = [localize_entry(one, language) for one in common_questions(list(signs))]
            return private(render(request, "pages/questions.html", context, status=status), wait)
        context |= {
            "answer": answer,
            "advice": ADVICE[answer.flag] if answer.flag else None,
            "entry": localize_entry(answer.entry, language) if answer.entry else None,
            "suggestions": [localize_entry(one, language) for one in answer.suggestions],
        }
    if "answer" not in context or not (context["entry"] or context["suggestions"] or context["advice"]):
        context["common"] = [localize_entry(one, language) for one in common_questions(list(signs))]
    return private(render(request, "pages/questions.html", context, status=status))


def _render_problem(request: HttpRequest, error: UserError) -> HttpResponse:
    context = {"status": error.status, "detail": error.detail}
    return private(render(request, "problem.html", context, status=error.status))
