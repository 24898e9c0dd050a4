"""The questions API, in the reader's language (`Accept-Language`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.analyses.api.openapi import problems
from backend.analyses.errors import AnalysisUnknown
from backend.config.private_responses import private
from backend.operations.throttle import client_address
from backend.questions.advice import ADVICE
from backend.questions.api import openapi
from backend.questions.errors import EntryUnknown, QuestionMissing
from backend.questions.localization import localize_entry, reader_language
from backend.questions.models import Entry
from backend.questions.selectors.answering import QuestionAnswer, entry_get
from backend.questions.selectors.context import report_signs
from backend.questions.services.asking import question_ask


class QuestionCollection(APIView):
    @extend_schema(
        operation_id="question_ask",
        request=openapi.AskSchema,
        responses={200: openapi.AnswerSchema, **problems(400, 404, 409, 410, 415, 422, 429)},
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask a question. Answers were written in advance; none is generated."""
        given = request.data if isinstance(request.data, dict) else {}
        question, analysis = given.get("question"), given.get("analysis")
        if not isinstance(question, str):
            raise QuestionMissing
        seen = report_signs(_parse_id(analysis)) if analysis is not None else {}
        signs = {key: sign.advised_grade for key, sign in seen.items()}
        answer = question_ask(question, reader_language(), sender=client_address(request), signs=list(signs))
        return private(JsonResponse(answer_json(answer), json_dumps_params={"ensure_ascii": False}))


class QuestionDetail(APIView):
    @extend_schema(operation_id="question", responses={200: openapi.EntrySchema, **problems(404)})
    def get(self, request: Request, key: str) -> HttpResponse:
        """Get one question with its answer."""
        entry = entry_get(key)
        if entry is None:
            raise EntryUnknown
        return JsonResponse(_entry_json(entry, reader_language()), json_dumps_params={"ensure_ascii": False})


def answer_json(answer: QuestionAnswer) -> dict[str, Any]:
    advice = ADVICE[answer.flag] if answer.flag else None
    return {
        "kind": answer.kind.value,
        "advice": advice and {
            "flag": answer.flag, "heading": str(advice.heading), "text": str(advice.text),
            "phones": list(advice.phones), "interpretation": str(advice.interpretation or ""),
        },
        "entry": answer.entry and _entry_json(answer.entry, answer.language),
        "suggestions": [
            {"key": entry.key, "question": localize_entry(entry, answer.language).question}
            for entry in answer.suggestions
        ],
        "by_meaning": answer.by_meaning,
    }  # fmt: skip


def _entry_json(entry: Entry, language: str) -> dict[str, Any]:
    text = localize_entry(entry, language)
    return {
        "key": text.key, "question": text.question, "answer": text.answer, "source": text.source,
        "edited_on": text.edited_on and text.edited_on.isoformat(),
        "reviewed": text.reviewed_on and text.reviewed_on.isoformat(), "reviewed_by_role": text.reviewed_by_role,
    }  # fmt: skip


def _parse_id(value: object) -> UUID:
    """Raises AnalysisUnknown."""
    try:
        return UUID(str(value))
    except ValueError:
        raise AnalysisUnknown from None
